package compile

import (
	"hash/fnv"
	"strconv"
	"strings"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/lib/pathtree"
	"gatehouse/internal/lib/percent"
	"gatehouse/internal/snapshot"
)

func (c *compiler) restAPI(a *v1.RestAPI) {
	api := &snapshot.API{
		ID: a.ID, Name: a.Name, Kind: snapshot.REST, Stages: map[string]*snapshot.Stage{},
		DefaultEndpointDisabled: a.DisableExecuteAPIEndpoint,
	}
	c.addAPI(api, a.Place)
	c.openOperations(a)
	c.restNotes(a)
	for i := range a.Stages {
		c.restStage(api, a, &a.Stages[i])
	}
	c.kept(a.Kept, a.Public)
}

func (c *compiler) restStage(api *snapshot.API, a *v1.RestAPI, d *v1.Stage) {
	s := &snapshot.Stage{
		ID: api.ID + "/" + d.Name, Name: d.Name, API: api,
		Routes:    pathtree.New[*snapshot.Route](pathtree.Options{IgnoreTrailingSlash: true}),
		AccessLog: c.logFormat(d.AccessLogFormat),
	}
	api.Stages[d.Name] = s
	stageLimit := c.stageLimit(s.ID, d.Throttle)
	known := map[string]bool{}
	for i := range a.Resources {
		res := &a.Resources[i]
		for j := range res.Methods {
			m := &res.Methods[j]
			op := operation{
				key: m.HTTPMethod + " " + res.Path, place: m.Place, path: res.Path, answer: a.AnswerUnserved,
				variables: d.Variables, stage: d.Name, rest: true,
			}
			c.private(&op, a.Kept, a.Public)
			r := c.restRoute(&op, a, m)
			if r == nil {
				continue
			}
			settingKey := res.Path + "/" + m.HTTPMethod
			known[settingKey] = true
			r.Limits = routeLimits(s.ID, op.key, stageLimit, d.MethodSettings[settingKey])
			c.addRoute(s, r, m.Place)
		}
	}
	c.unknownSettings(s.ID, d.MethodSettings, known)
	c.gatewayResponses(s, a, d)
}

// restRoute compiles one method; nil when it cannot stand in the tree at all.
func (c *compiler) restRoute(op *operation, a *v1.RestAPI, m *v1.Method) *snapshot.Route {
	params, ok := c.params(op)
	if !ok {
		return nil
	}
	op.params = params
	c.access(op, m.AuthorizationType, m.Authorizer)
	if m.APIKeyRequired && strings.EqualFold(a.APIKeySource, "AUTHORIZER") {
		c.unserved(op, "authorizer-not-served", m.Place, "%s takes its API key from an authorizer, and authorizers are not served yet", op.key)
	}
	if len(a.Policy) > 0 {
		c.unserved(op, "policy-not-served", a.Place, "the API has a resource policy, and resource policies are not served yet")
	}
	r := &snapshot.Route{
		Key: op.key, Method: m.HTTPMethod, Path: op.path, ResourceID: resourceID(a.ID, op.path), Params: params,
		APIKeyRequired: m.APIKeyRequired, OperationName: m.OperationName,
	}
	if m.Integration == nil {
		c.error("no-integration", m.Place, "add x-amazon-apigateway-integration, or set `backend:` on the API",
			"%s has no integration, so there is nothing to call", op.key)
	} else {
		r.Integration = c.restIntegration(op, m)
	}
	c.validator(op, a, m)
	r.NotServed = op.notServed
	return r
}

// params checks the path and gives its variables in order.
func (c *compiler) params(op *operation) ([]string, bool) {
	segments, err := pathtree.Split(op.path)
	if err != nil {
		c.error("bad-path", op.place, "a path looks like /pets/{id} or /files/{name+}", "%s: %v", op.key, err)
		return nil, false
	}
	if percent.HasDots([]byte(op.path)) {
		c.error("bad-path", op.place, "name the path that is meant", "%s: a path with a . or .. segment is never matched", op.key)
		return nil, false
	}
	params := []string{} // nil means that there is no path at all
	for _, s := range segments {
		if s.Kind != pathtree.Static {
			params = append(params, s.Name)
		}
	}
	return params, true
}

// access reports ways in that are not served yet. An operation is never served more openly than it says.
func (c *compiler) access(op *operation, kind, name string) {
	switch kind {
	case "", "NONE", anonymous:
	case "UNENFORCED":
		c.unserved(op, "security-not-enforced", op.place,
			"%s is protected by the security scheme %q, which nothing enforces: AWS would leave it open", op.key, name)
	default:
		c.unserved(op, "authorizer-not-served", op.place, "%s is protected by %s%s, which is not served yet", op.key, kind, named(name))
	}
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return " " + strconv.Quote(name)
}

// openOperations refuses an API with operations that nobody protects and nobody declared open.
func (c *compiler) openOperations(a *v1.RestAPI) {
	if a.Public {
		return
	}
	for i := range a.Resources {
		for j := range a.Resources[i].Methods {
			if m := &a.Resources[i].Methods[j]; m.Access == v1.AccessUnstated {
				c.open(m.HTTPMethod+" "+a.Resources[i].Path, m.AuthorizationType, m.Place)
			}
		}
	}
}

// anonymous is the authorization type, none of AWS's, of what the empty security requirement {} opens.
const anonymous = "ANONYMOUS"

func (c *compiler) open(key, kind string, at definition.Place) {
	if kind == anonymous {
		c.error("empty-security-requirement", at, "or protect it with a security scheme, or set `public: true` on the API",
			"%s: an empty requirement lets anyone in: say `security: []`", key)
		return
	}
	c.error("open-operation", at,
		"protect it with `security`, declare it open with `security: []`, or set `public: true` or `api_key: true` on the API in gatehouse.yaml",
		"%s is open to anyone, and nothing says that it should be", key)
}

// restNotes reports what the API as a whole asks for and does not get yet.
func (c *compiler) restNotes(a *v1.RestAPI) {
	if a.MinimumCompressionSize != nil {
		c.warn("compression-not-served", a.Place, "answers pass as the backend sends them", "the API asks for compression, which is not served yet")
	}
	if len(a.BinaryMediaTypes) > 0 {
		c.diags.Add(definition.Info, "binary-types-kept", a.Place, "",
			"binaryMediaTypes are kept: bodies pass unchanged, and conversions are not served yet")
	}
}

// validator reports a validator that checks something: a backend may rely on it.
func (c *compiler) validator(op *operation, a *v1.RestAPI, m *v1.Method) {
	if m.RequestValidator == "" {
		return
	}
	if v, ok := a.RequestValidators[m.RequestValidator]; ok && !v.ValidateRequestBody && !v.ValidateRequestParameters {
		return
	}
	c.unserved(op, "validator-not-served", m.Place, "%s asks for the request validator %q, and request validation is not served yet",
		op.key, m.RequestValidator)
}

// resourceID makes an id in AWS's shape that stays the same as long as the path does.
func resourceID(api, path string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(api + path)) // never fails
	id := strconv.FormatUint(h.Sum64(), 36)
	return (id + "000000")[:6]
}
