package compile

import (
	"strings"

	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/pathtree"
	"gatehouse/internal/snapshot"
)

func (c *compiler) httpAPI(a *v2.API) {
	api := &snapshot.API{
		ID: a.ID, Name: a.Name, Kind: snapshot.HTTP, Stages: map[string]*snapshot.Stage{},
		DefaultEndpointDisabled: a.DisableExecuteAPIEndpoint,
	}
	c.addAPI(api, a.Place)
	for i := range a.Routes {
		if r := &a.Routes[i]; r.Access == v1.AccessUnstated && !a.Public {
			c.open(r.RouteKey, r.AuthorizationType, r.Place)
		}
	}
	if len(a.CorsConfiguration) > 0 {
		c.warn("cors-not-served", a.CorsPlace, "browsers get no CORS headers from the gateway", "the API has a CORS configuration, which is not served yet")
	}
	for i := range a.Stages {
		c.httpStage(api, a, &a.Stages[i])
	}
	c.kept(a.Kept, a.Public)
}

func (c *compiler) httpStage(api *snapshot.API, a *v2.API, d *v2.Stage) {
	s := &snapshot.Stage{
		ID: api.ID + "/" + d.Name, Name: d.Name, API: api,
		Routes:    pathtree.New[*snapshot.Route](pathtree.Options{MethodFirst: true}),
		AccessLog: c.logFormat(d.AccessLogFormat),
	}
	api.Stages[d.Name] = s
	stageLimit := c.stageLimit(s.ID, d.Throttle)
	known := map[string]bool{}
	for i := range a.Routes {
		route := &a.Routes[i]
		op := operation{key: route.RouteKey, place: route.Place, answer: a.AnswerUnserved, variables: d.Variables, stage: d.Name}
		c.private(&op, a.Kept, a.Public)
		r := c.httpRoute(&op, a.ID, route)
		if r == nil {
			continue
		}
		known[route.RouteKey] = true
		r.Limits = routeLimits(s.ID, op.key, stageLimit, d.RouteSettings[route.RouteKey])
		c.addRoute(s, r, route.Place)
	}
	c.unknownSettings(s.ID, d.RouteSettings, known)
}

func (c *compiler) httpRoute(op *operation, api string, d *v2.Route) *snapshot.Route {
	method, path, ok := strings.Cut(d.RouteKey, " ")
	if d.RouteKey == defaultRoute {
		method, path, ok = pathtree.Any, "/", true
	}
	if !ok {
		c.error("bad-route-key", d.Place, "a route key looks like `GET /pets/{id}` or `$default`", "%q is no route key", d.RouteKey)
		return nil
	}
	op.path = path
	params, ok := c.params(op)
	if !ok {
		return nil
	}
	op.params = params
	c.access(op, d.AuthorizationType, d.Authorizer)
	if d.APIKeyRequired {
		c.unserved(op, "api-key-on-http-api", d.Place, "%s asks for an API key, which HTTP APIs do not have: say `kind: rest`", op.key)
	}
	r := &snapshot.Route{
		Key: op.key, Method: method, Path: path, ResourceID: resourceID(api, path), Params: params, OperationName: d.OperationName,
	}
	if d.Integration == nil {
		c.error("no-integration", d.Place, "add x-amazon-apigateway-integration, or set `backend:` on the API",
			"%s has no integration, so there is nothing to call", op.key)
	} else {
		r.Integration = c.httpIntegration(op, d.Integration)
	}
	r.NotServed = op.notServed
	return r
}

func (c *compiler) httpIntegration(op *operation, d *v2.Integration) *snapshot.Integration {
	c.keptInside(d.Kept)
	c.method(op, d.Method, d.Place)
	if d.Type != "HTTP_PROXY" {
		what := d.Subtype
		if what == "" {
			what = target(d.URI.Value)
		}
		c.unserved(op, "integration-not-served", d.Place, "%s calls %s, and %s integrations are not served yet", op.key, what, d.Type)
		return nil
	}
	if strings.EqualFold(d.ConnectionType, "VPC_LINK") {
		c.unserved(op, "vpc-link-not-served", d.Place, "%s goes through a VPC link, which is not served yet", op.key)
		return nil
	}
	if len(d.RequestParameters) > 0 || len(d.ResponseParameters) > 0 {
		c.unserved(op, "mapping-not-served", d.Place, "%s maps parameters, which is not served yet for HTTP APIs", op.key)
	}
	out := &snapshot.Integration{
		Kind: snapshot.HTTPProxy, Method: d.Method, QueryPasses: true, Timeout: c.timeout(d.TimeoutInMillis, defaultTimeoutHTTP, d.Place),
	}
	c.destination(op, d.URI, out, d.InsecureSkipVerification, d.ServerNameToVerify, nil)
	return out
}
