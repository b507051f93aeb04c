package openapi

import (
	"cmp"
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
)

// resources makes the operations of a REST API.
func (r *reader) resources() []v1.Resource {
	byPath := map[string]*v1.Resource{}
	for _, op := range r.operations {
		// A trailing slash makes no other resource.
		if op.path = strings.TrimSuffix(op.path, "/"); op.path == "" {
			op.path = "/"
		}
		if !r.checkPath(op) {
			continue
		}
		res := byPath[op.path]
		if res == nil {
			res = &v1.Resource{Path: op.path, Place: r.keyPlace(op.item)}
			byPath[op.path] = res
		}
		if slices.ContainsFunc(res.Methods, func(m v1.Method) bool { return m.HTTPMethod == op.method }) {
			r.fail(codeDuplicateOp, r.keyPlace(op.at), "remove one of the two", "%s %s is defined already", op.method, op.path)
			continue
		}
		res.Methods = append(res.Methods, r.method(op))
	}
	list := make([]v1.Resource, 0, len(byPath))
	for _, res := range byPath {
		slices.SortFunc(res.Methods, func(a, b v1.Method) int { return cmp.Compare(a.HTTPMethod, b.HTTPMethod) })
		list = append(list, *res)
	}
	slices.SortFunc(list, func(a, b v1.Resource) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

func (r *reader) method(op *operation) v1.Method {
	a := r.access(op)
	params := r.parameters(op)
	m := v1.Method{
		HTTPMethod: op.method, AuthorizationType: a.authType, Authorizer: a.authorizer, AuthorizationScopes: a.scopes,
		APIKeyRequired: a.apiKey, Access: a.state,
		RequestValidator:  r.validator,
		RequestParameters: r.requestParameters(op, params),
		RequestModels:     r.requestModels(op, params),
		Responses:         r.methodResponses(op),
		Kept:              r.keptOfOperation(op),
		Place:             r.keyPlace(op.at),
	}
	m.OperationName, _ = r.text(op.at.get("operationId"))
	if v := op.extension(extRequestValidator); v != nil {
		m.RequestValidator = r.validatorName(v)
	}
	switch {
	case op.integration != nil:
		m.Integration = r.restIntegration(op.integration)
	case op.broken:
	case r.o.Backend != "":
		m.Integration = r.restBackend(op, m.RequestParameters)
	}
	return m
}

// restBackend proxies an operation to the backend of the whole API. It declares the path's variables, which a mapping
// needs.
func (r *reader) restBackend(op *operation, declared map[string]bool) *v1.Integration {
	in := &v1.Integration{
		Type: "HTTP_PROXY", HTTPMethod: op.method, ConnectionType: "INTERNET", PassthroughBehavior: "WHEN_NO_MATCH",
		URI: r.backendURI(op), Place: r.keyPlace(op.at), RequestParameters: make(map[string]v1.Text, len(op.variables)),
	}
	for _, name := range op.variables {
		from := "method.request.path." + name
		declared[from] = true
		in.RequestParameters["integration.request.path."+name] = v1.Text{Value: from, Place: in.Place}
	}
	return in
}

// backendURI is the backend and the operation's own path; a greedy {proxy+} is {proxy} there.
func (r *reader) backendURI(op *operation) v1.Text {
	path := strings.ReplaceAll(op.own, "+}", "}")
	return v1.Text{Value: strings.TrimSuffix(r.o.Backend, "/") + path, Place: r.keyPlace(op.at)}
}

// keptOfOperation keeps the extensions of an operation that have no field.
func (r *reader) keptOfOperation(op *operation) map[string]v1.Kept {
	var kept map[string]v1.Kept
	for _, p := range op.at.n.Pairs {
		name := p.Key.Value
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		switch {
		case name == extIntegration, name == extAuth:
		case name == extRequestValidator && r.kind == rest:
		default:
			v := &value{n: p.Value, key: p.Key, up: op.at, token: name}
			if name == extRequestValidator {
				r.notForKind(v)
			}
			keep(&kept, name, r.kept(v))
		}
	}
	return kept
}

// restIntegration reads the integration of a REST API's method.
func (r *reader) restIntegration(v *value) *v1.Integration {
	in := &v1.Integration{Place: r.place(v)}
	v.each(func(key string, c *value) {
		if !c.n.IsNull() && !r.restField(in, key, c) {
			r.otherField(&in.Kept, key, c)
		}
	})
	if in.Type == "" && v.get("type") == nil {
		r.fail(codeIntegrationType, r.place(v), "add type: "+restTypes, "the integration has no type")
	}
	return in
}

const restTypes = "http, http_proxy, aws, aws_proxy or mock"

// restField reads one key; it is false where REST APIs have no such key.
func (r *reader) restField(in *v1.Integration, key string, c *value) bool {
	switch key {
	case "type":
		in.Type = r.integrationType(c, restTypes)
	case "httpMethod":
		in.HTTPMethod = r.upper(c)
	case "uri":
		in.URI = r.uri(c)
	case "connectionType":
		in.ConnectionType = r.enum(c, "INTERNET", "VPC_LINK")
	case "connectionId":
		in.ConnectionID, _ = r.text(c)
	case "credentials":
		in.Credentials, _ = r.text(c)
	case "requestParameters":
		in.RequestParameters = r.texts(c, true)
	case "requestTemplates":
		in.RequestTemplates = r.texts(c, false)
	case "passthroughBehavior":
		in.PassthroughBehavior = r.enum(c, "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
	case "contentHandling":
		in.ContentHandling = r.enum(c, "CONVERT_TO_TEXT", "CONVERT_TO_BINARY")
	case "timeoutInMillis":
		in.TimeoutInMillis, _ = r.int(c)
	case "cacheNamespace":
		in.CacheNamespace, _ = r.text(c)
	case "cacheKeyParameters":
		in.CacheKeyParameters = r.strings(c)
	case "responseTransferMode":
		in.ResponseTransferMode = r.enum(c, "BUFFERED", "STREAM")
	case "integrationTarget":
		in.IntegrationTarget, _ = r.text(c)
	case "tlsConfig":
		r.restTLS(in, c)
	case "responses":
		in.Responses = r.integrationResponses(c)
	default:
		return false
	}
	return true
}

// restTLS keeps the whole where it says what only HTTP APIs have.
func (r *reader) restTLS(in *v1.Integration, v *value) {
	if !r.mapping(v) {
		return
	}
	in.InsecureSkipVerification = r.bool(v.get("insecureSkipVerification"))
	if name := v.get("serverNameToVerify"); name != nil {
		r.notForKind(name)
		keep(&in.Kept, v.token, r.kept(v))
	}
}

func (r *reader) integrationResponses(v *value) []v1.IntegrationResponse {
	if !r.mapping(v) {
		return nil
	}
	list := make([]v1.IntegrationResponse, 0, len(v.n.Pairs))
	v.each(func(pattern string, c *value) {
		if !r.mapping(c) {
			return
		}
		res := v1.IntegrationResponse{SelectionPattern: pattern, Place: r.place(c)}
		c.each(func(key string, f *value) {
			switch {
			case f.n.IsNull():
			case key == "statusCode":
				res.StatusCode = r.statusCode(f)
			case key == "responseParameters":
				res.ResponseParameters = r.texts(f, true)
			case key == "responseTemplates":
				res.ResponseTemplates = r.texts(f, false)
			case key == "contentHandling":
				res.ContentHandling = r.enum(f, "CONVERT_TO_TEXT", "CONVERT_TO_BINARY")
			default:
				r.unknownKey(f, "statusCode", "responseParameters", "responseTemplates", "contentHandling")
			}
		})
		if c.get("statusCode") == nil {
			r.fail(codeResponseStatus, r.place(c), `add statusCode: "200"`, "the integration response %q has no status code", pattern)
		}
		list = append(list, res)
	})
	return list
}
