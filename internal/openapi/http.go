package openapi

import (
	"cmp"
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
)

// routes makes the operations of an HTTP API.
func (r *reader) routes() []v2.Route {
	list := make([]v2.Route, 0, len(r.operations))
	seen := make(map[string]bool, len(r.operations))
	for _, op := range r.operations {
		key, ok := r.routeKey(op)
		if !ok {
			continue
		}
		if seen[key] {
			r.fail(codeDuplicateOp, r.keyPlace(op.at), "remove one of the two", "the route %s is defined already", key)
			continue
		}
		seen[key] = true
		list = append(list, r.route(op, key))
	}
	slices.SortFunc(list, func(a, b v2.Route) int {
		methodA, pathA, _ := strings.Cut(a.RouteKey, " ")
		methodB, pathB, _ := strings.Cut(b.RouteKey, " ")
		return cmp.Or(cmp.Compare(pathA, pathB), cmp.Compare(methodA, methodB))
	})
	return list
}

func (r *reader) routeKey(op *operation) (string, bool) {
	if !op.isDefault() {
		return op.method + " " + op.path, r.checkPath(op)
	}
	if op.method != anyMethod {
		r.fail(codeDefaultRoute, r.keyPlace(op.at), "use "+extAnyMethod, "the route $default takes any method, not %s alone", op.method)
		return "", false
	}
	return "$default", true
}

func (r *reader) route(op *operation, key string) v2.Route {
	a := r.access(op)
	route := v2.Route{
		RouteKey: key, AuthorizationType: a.authType, Authorizer: a.authorizer, AuthorizationScopes: a.scopes,
		APIKeyRequired: a.apiKey, Access: a.state, Kept: r.keptOfOperation(op), Place: r.keyPlace(op.at),
	}
	route.OperationName, _ = r.text(op.at.get("operationId"))
	// Declared parameters mean nothing to an HTTP API but are still checked against the path.
	r.requestParameters(op, r.parameters(op))
	switch {
	case op.integration != nil:
		route.Integration = r.httpIntegration(op.integration)
	case op.broken:
	case r.o.Backend != "":
		route.Integration = r.httpBackend(op)
	}
	return route
}

// httpBackend proxies an operation to the backend of the whole API. The $default route has no variable for the path, so
// its path is set as a whole.
func (r *reader) httpBackend(op *operation) *v2.Integration {
	in := &v2.Integration{
		Type: "HTTP_PROXY", Method: op.method, ConnectionType: "INTERNET", PayloadFormatVersion: "1.0",
		URI: r.backendURI(op), Place: r.keyPlace(op.at),
	}
	if !op.isDefault() {
		return in
	}
	in.URI.Value = strings.TrimSuffix(r.o.Backend, "/")
	path := "$request.path"
	if base := strings.Trim(urlPath(in.URI.Value), "/"); base != "" {
		path = "/" + base + "${request.path}"
	}
	in.RequestParameters = map[string]v1.Text{"overwrite:path": {Value: path, Place: in.Place}}
	return in
}

const httpTypes = "http_proxy or aws_proxy"

// httpIntegration reads the integration of an HTTP API's route.
func (r *reader) httpIntegration(v *value) *v2.Integration {
	in := &v2.Integration{Place: r.place(v)}
	v.each(func(key string, c *value) {
		if !c.n.IsNull() && !r.httpField(in, key, c) {
			r.otherField(&in.Kept, key, c)
		}
	})
	if in.Type == "" && v.get("type") == nil {
		r.fail(codeIntegrationType, r.place(v), "add type: "+httpTypes, "the integration has no type")
	}
	return in
}

// httpField reads one key; it is false where HTTP APIs have no such key.
func (r *reader) httpField(in *v2.Integration, key string, c *value) bool {
	switch key {
	case "type":
		in.Type = r.integrationType(c, httpTypes)
	case "integrationSubtype":
		in.Subtype, _ = r.text(c)
	case "httpMethod":
		in.Method = r.upper(c)
	case "uri":
		in.URI = r.uri(c)
	case "connectionType":
		in.ConnectionType = r.enum(c, "INTERNET", "VPC_LINK")
	case "connectionId":
		in.ConnectionID, _ = r.text(c)
	case "credentials":
		in.Credentials, _ = r.text(c)
	case "payloadFormatVersion":
		in.PayloadFormatVersion = r.enum(c, "1.0", "2.0")
	case "timeoutInMillis":
		in.TimeoutInMillis, _ = r.int(c)
	case "requestParameters":
		in.RequestParameters = r.texts(c, true)
	case "responseParameters":
		in.ResponseParameters = r.responseParameters(c)
	case "tlsConfig":
		r.mapping(c)
		in.ServerNameToVerify, _ = r.text(c.get("serverNameToVerify"))
		in.InsecureSkipVerification = r.bool(c.get("insecureSkipVerification"))
	default:
		return false
	}
	return true
}

// responseParameters is keyed by status code, then by what is changed.
func (r *reader) responseParameters(v *value) map[string]map[string]v1.Text {
	if !r.mapping(v) {
		return nil
	}
	m := make(map[string]map[string]v1.Text, len(v.n.Pairs))
	v.each(func(status string, c *value) {
		if !isStatus(status) {
			r.fail(codeResponseStatus, r.keyPlace(c), "name each status code", "%q is not a status code", status)
			return
		}
		m[status] = r.texts(c, true)
	})
	return m
}
