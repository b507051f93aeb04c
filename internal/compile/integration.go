package compile

import (
	"errors"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/lib/pathtree"
	"gatehouse/internal/snapshot"
)

// AWS's bounds of an integration's time.
const (
	defaultTimeoutREST = 29_000
	defaultTimeoutHTTP = 30_000
	minTimeout         = 50
	maxTimeout         = 900_000
)

func (c *compiler) restIntegration(op *operation, m *v1.Method) *snapshot.Integration {
	d := m.Integration
	c.keptInside(d.Kept)
	if d.Type != "MOCK" {
		c.method(op, d.HTTPMethod, d.Place)
	}
	c.requestTemplates(op, d)
	out := &snapshot.Integration{
		Method: d.HTTPMethod, Timeout: c.timeout(d.TimeoutInMillis, defaultTimeoutREST, d.Place), Unmatched: c.passthrough(d),
	}
	switch d.Type {
	case "HTTP_PROXY":
		out.Kind, out.QueryPasses = snapshot.HTTPProxy, true
	case "HTTP":
		out.Kind = snapshot.HTTPCustom
	case "MOCK":
		out.Kind = snapshot.Mock
		c.mock(op, d, out)
	case "AWS", "AWS_PROXY":
		c.unserved(op, "integration-not-served", d.Place, "%s calls %s, and %s integrations are not served yet", op.key, target(d.URI.Value), d.Type)
		return nil
	case "":
		return nil // reported by whoever read the definition
	default:
		c.error("bad-integration", d.Place, "use http, http_proxy, mock, aws or aws_proxy", "%s has an integration of unknown type %q", op.key, d.Type)
		return nil
	}
	c.unservedSettings(op, d)
	if out.Kind != snapshot.Mock {
		c.destination(op, d.URI, out, d.InsecureSkipVerification, "", pathMappings(d.RequestParameters))
		c.requestMappings(op, d.RequestParameters, out)
		c.undeclared(op, m.RequestParameters, d.RequestParameters)
	}
	if out.Kind != snapshot.HTTPProxy {
		out.Responses = c.responses(op, m, d)
	}
	return out
}

// method checks what a backend is called with; none is the client's own.
func (c *compiler) method(op *operation, name string, at definition.Place) {
	switch name {
	case "", pathtree.Any, "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH":
	default:
		c.error("bad-integration", at, "use GET, PUT, POST, DELETE, OPTIONS, HEAD, PATCH or ANY",
			"%s: httpMethod %q is no method that API Gateway calls with", op.key, name)
	}
}

func target(uri string) string {
	if uri == "" {
		return "an AWS service"
	}
	return uri
}

func (c *compiler) unservedSettings(op *operation, d *v1.Integration) {
	if strings.EqualFold(d.ConnectionType, "VPC_LINK") {
		c.unserved(op, "vpc-link-not-served", d.Place, "%s goes through a VPC link, which is not served yet", op.key)
	}
	if strings.EqualFold(d.ResponseTransferMode, "STREAM") {
		c.diags.Add(definition.Info, "always-streamed", d.Place, "", "responseTransferMode is not needed: bodies that no step reads are always streamed")
	}
	if len(d.CacheKeyParameters) > 0 {
		c.warn("cache-not-served", d.Place, "every request reaches the backend", "%s has cache keys, and response caching is not served yet", op.key)
	}
	if d.ContentHandling != "" {
		c.warn("content-handling-not-served", d.Place, "bodies pass unchanged", "%s converts content, which is not served yet", op.key)
	}
}

func (c *compiler) timeout(ms, def int, at definition.Place) time.Duration {
	if ms == 0 {
		ms = def
	}
	if ms < minTimeout || ms > maxTimeout {
		c.error("bad-timeout", at, "AWS takes 50 to 29000, Gatehouse up to 900000", "timeoutInMillis is %d", ms)
	}
	return time.Duration(ms) * time.Millisecond
}

func (c *compiler) passthrough(d *v1.Integration) snapshot.Passthrough {
	switch strings.ToUpper(d.PassthroughBehavior) {
	case "NEVER":
		return snapshot.Never
	case "WHEN_NO_TEMPLATES":
		return snapshot.WhenNoTemplates
	case "", "WHEN_NO_MATCH":
	default:
		c.error("bad-integration", d.Place, "use when_no_match, when_no_templates or never", "passthroughBehavior %q is unknown", d.PassthroughBehavior)
	}
	return snapshot.WhenNoMatch
}

// requestTemplates refuses templates that would have to be rendered. AWS ignores them for proxy types.
func (c *compiler) requestTemplates(op *operation, d *v1.Integration) {
	if strings.HasSuffix(d.Type, "_PROXY") {
		return
	}
	for _, media := range slices.Sorted(maps.Keys(d.RequestTemplates)) {
		t := d.RequestTemplates[media]
		if !constant(t.Value) {
			c.templateNotServed(op, t.Place)
		} else if d.Type == "HTTP" {
			c.unserved(op, "template-not-served", t.Place, "%s replaces the request body, and mapping templates are not served yet", op.key)
		}
	}
}

func (c *compiler) templateNotServed(op *operation, at definition.Place) {
	c.unserved(op, "template-not-served", at, "%s has a mapping template, and mapping templates are not served yet", op.key)
}

// destination compiles the URI.
func (c *compiler) destination(op *operation, text v1.Text, out *snapshot.Integration, insecure bool, serverName string, mapped map[string]v1.Text) {
	full, missing := stageVariables(text.Value, op.variables)
	for _, name := range missing {
		c.error("unset-stage-variable", text.Place, "set it under `variables:` of the stage", "%s needs the stage variable %q, which stage %s does not set", op.key, name, op.stage)
	}
	if len(missing) > 0 {
		return
	}
	u, err := parseURI(full)
	if err != nil {
		c.error("bad-uri", text.Place, "an integration's URI looks like http://host:port/path/{id}", "%s: %v", op.key, err)
		return
	}
	resolve := func(name string) snapshot.Text { return c.fill(op, name, text.Place, mapped) }
	out.URI, out.Host = u.full, u.host
	out.Path = template(u.path, resolve)
	out.Query = template(u.query, resolve)
	out.Upstream = c.backend(u, insecure, serverName)
	for name, m := range mapped {
		if !strings.Contains(u.path+u.query, "{"+name+"}") && !strings.Contains(u.path+u.query, "{"+name+"+}") {
			c.warn("unused-mapping", m.Place, "name it in the URI in braces", "%s maps integration.request.path.%s, which the URI does not use", op.key, name)
		}
	}
}

// fill gives what a placeholder of the URI stands for: its mapping, else the path variable of the same name.
func (c *compiler) fill(op *operation, name string, at definition.Place, mapped map[string]v1.Text) snapshot.Text {
	if m, ok := mapped[name]; ok {
		t, _, err := c.expression(m.Value, op)
		if err != nil {
			c.mappingError(op, m.Place, err)
		}
		return t
	}
	if i := slices.Index(op.params, name); i >= 0 {
		return snapshot.Text{{Source: snapshot.RequestPath, Name: name, Index: i}}
	}
	c.error("unfilled-placeholder", at, "map integration.request.path."+name+", or name a variable of the path",
		"%s: nothing fills {%s} in the URI", op.key, name)
	return nil
}

const (
	pathPrefix   = "integration.request.path."
	headerPrefix = "integration.request.header."
	queryPrefix  = "integration.request.querystring."
)

func pathMappings(all map[string]v1.Text) map[string]v1.Text {
	out := map[string]v1.Text{}
	for k, v := range all {
		if name, ok := strings.CutPrefix(k, pathPrefix); ok {
			out[name] = v
		}
	}
	return out
}

// requestMappings compiles the mappings to headers and query parameters.
func (c *compiler) requestMappings(op *operation, all map[string]v1.Text, out *snapshot.Integration) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		m := all[key]
		var to *[]snapshot.Assign
		name, ok := strings.CutPrefix(key, headerPrefix)
		switch {
		case ok:
			to = &out.Headers
			c.forbiddenHeader(op, name, m.Place)
		case strings.HasPrefix(key, queryPrefix):
			to, name = &out.Queries, strings.TrimPrefix(key, queryPrefix)
		case strings.HasPrefix(key, pathPrefix):
			continue
		default:
			c.error("bad-mapping", m.Place, "use integration.request.header|querystring|path.NAME", "%s maps %q, which is no place of an integration request", op.key, key)
			continue
		}
		if a, ok := c.assign(op, name, m); ok {
			*to = append(*to, a)
		}
	}
}

// undeclared reports sources of mappings that the method does not declare. Path variables are their reader's to report.
func (c *compiler) undeclared(op *operation, declared map[string]bool, all map[string]v1.Text) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		m := all[key]
		kind, name, _ := strings.Cut(strings.TrimPrefix(m.Value, "method.request."), ".")
		kind = strings.TrimPrefix(kind, "multivalue")
		if !strings.HasPrefix(m.Value, "method.request.") || (kind != "header" && kind != "querystring") {
			continue
		}
		source := "method.request." + kind + "." + name
		if !declares(declared, source, kind == "header") {
			// AWS: the import is refused.
			c.warn("undeclared-parameter", m.Place, "declare it among the operation's parameters", "%s maps %s, which it does not declare", op.key, m.Value)
		}
	}
}

// declares finds a parameter; headers in any case.
func declares(declared map[string]bool, source string, anyCase bool) bool {
	if _, ok := declared[source]; ok || !anyCase {
		return ok
	}
	for k := range declared {
		if strings.EqualFold(k, source) {
			return true
		}
	}
	return false
}

func (c *compiler) assign(op *operation, name string, m v1.Text) (snapshot.Assign, bool) {
	if !mappingName.MatchString(name) {
		c.error("bad-mapping", m.Place, "names have letters, digits and . _ $ -", "%s maps to the name %q", op.key, name)
		return snapshot.Assign{}, false
	}
	t, multi, err := c.expression(m.Value, op)
	if err != nil {
		c.mappingError(op, m.Place, err)
		return snapshot.Assign{}, false
	}
	return snapshot.Assign{Name: name, Value: t, Multi: multi}, true
}

func (c *compiler) mappingError(op *operation, at definition.Place, err error) {
	var e *errExpression
	if errors.As(err, &e) && e.code == "template-not-served" {
		c.unserved(op, e.code, at, "%s: %v", op.key, err)
		return
	}
	code := "bad-mapping"
	if e != nil {
		code = e.code
	}
	c.error(code, at, "see the mapping expressions in docs/reference/mapping.md", "%s: %v", op.key, err)
}

// forbiddenHeader warns of mappings that AWS accepts and then fails at run time.
func (c *compiler) forbiddenHeader(op *operation, name string, at definition.Place) {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id":
		c.warn("forbidden-header", at, "remove the mapping", "%s maps the header %s: as on AWS every request fails with 500", op.key, name)
	}
}

// pattern compiles a selection pattern, which must match the whole status as in Java.
func (c *compiler) pattern(op *operation, r *v1.IntegrationResponse) (re *regexp.Regexp, ok bool) {
	if r.SelectionPattern == "" || r.SelectionPattern == "default" {
		return nil, true
	}
	re, err := regexp.Compile(`^(?:` + r.SelectionPattern + `)$`)
	if err != nil {
		c.error("bad-pattern", r.Place, "use a regular expression such as 4\\d{2}", "%s: the selection pattern %q does not compile: %v", op.key, r.SelectionPattern, err)
		return nil, false
	}
	return re, true
}

func (c *compiler) responses(op *operation, m *v1.Method, d *v1.Integration) []snapshot.IntegrationResponse {
	var out, last []snapshot.IntegrationResponse
	for i := range d.Responses {
		r := &d.Responses[i]
		pattern, ok := c.pattern(op, r)
		if !ok {
			continue
		}
		compiled := snapshot.IntegrationResponse{Pattern: pattern}
		status, err := strconv.Atoi(r.StatusCode)
		if err != nil || status < 100 || status > 599 {
			c.error("bad-status", r.Place, "give a statusCode from 100 to 599", "%s: an integration response has the status %q", op.key, r.StatusCode)
		}
		compiled.Status = status
		compiled.Headers = c.responseHeaders(op, m, r)
		compiled.Bodies = c.responseBodies(op, r)
		if compiled.Pattern == nil {
			last = append(last, compiled)
		} else {
			out = append(out, compiled)
		}
	}
	if len(last) > 1 {
		c.error("two-defaults", d.Place, "give all but one a selection pattern", "%s has %d default integration responses", op.key, len(last))
	}
	if len(d.Responses) == 0 {
		c.warn("no-integration-response", d.Place, "add `responses: {default: {statusCode: \"200\"}}`", "%s has no integration response: as on AWS every request ends with 500", op.key)
	}
	return append(out, last...)
}

func (c *compiler) responseHeaders(op *operation, m *v1.Method, r *v1.IntegrationResponse) []snapshot.Assign {
	var out []snapshot.Assign
	for _, key := range slices.Sorted(maps.Keys(r.ResponseParameters)) {
		text := r.ResponseParameters[key]
		name, ok := strings.CutPrefix(key, "method.response.header.")
		if !ok {
			c.error("bad-mapping", text.Place, "use method.response.header.NAME", "%s maps %q, which is no place of a method response", op.key, key)
			continue
		}
		if !declared(m.Responses, r.StatusCode, key) {
			c.warn("undeclared-header", text.Place, "AWS needs it among the response's headers", "%s sets the header %s, which its response %s does not declare", op.key, name, r.StatusCode)
		}
		if a, ok := c.assign(op, name, text); ok {
			out = append(out, a)
		}
	}
	return out
}

func declared(responses map[string]v1.MethodResponse, status, key string) bool {
	for k := range responses[status].ResponseParameters {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// responseBodies compiles constant templates, application/json first since it is what is chosen when Accept fits none.
func (c *compiler) responseBodies(op *operation, r *v1.IntegrationResponse) []snapshot.Body {
	var out []snapshot.Body
	for _, media := range jsonFirst(r.ResponseTemplates) {
		t := r.ResponseTemplates[media]
		if !constant(t.Value) {
			c.templateNotServed(op, t.Place)
			continue
		}
		out = append(out, snapshot.Body{MediaType: media, Text: t.Value})
	}
	return out
}

// jsonFirst gives the media types in order, application/json before all others.
func jsonFirst(m map[string]v1.Text) []string {
	keys := slices.Sorted(maps.Keys(m))
	if i := slices.Index(keys, "application/json"); i > 0 {
		keys = slices.Insert(slices.Delete(keys, i, i+1), 0, "application/json")
	}
	return keys
}
