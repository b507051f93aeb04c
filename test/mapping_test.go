package test_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/gatewaytest"
)

// mapped is a document with every kind of parameter mapping, a non-proxy integration and mocks.
const mapped = `
openapi: 3.0.1
info: {title: mapped, version: "1"}
paths:
  /pets/{id}:
    get:
      security: []
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: q, in: query, schema: {type: string}}
        - {name: X-In, in: header, schema: {type: string}}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: POST
        uri: http://up.internal/x/{pet}
        requestParameters:
          integration.request.path.pet: method.request.path.id
          integration.request.querystring.from: method.request.querystring.q
          integration.request.querystring.all: method.request.multivaluequerystring.q
          integration.request.header.X-Query: method.request.querystring.q
          integration.request.header.X-Header: method.request.header.X-In
          integration.request.header.X-Headers: method.request.multivalueheader.X-In
          integration.request.header.X-Stage: stageVariables.color
          integration.request.header.X-Context: context.resourcePath
          integration.request.header.X-Static: "'it is static'"
  /custom:
    get:
      security: []
      parameters: [{name: status, in: query, schema: {type: string}}]
      responses:
        "200": {description: ok, headers: {X-From: {schema: {type: string}}, X-Static: {schema: {type: string}}}}
        "404": {description: none}
        "500": {description: broken}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: GET
        uri: http://up.internal/status
        requestParameters: {integration.request.querystring.code: method.request.querystring.status}
        responses:
          default:
            statusCode: "200"
            responseParameters:
              method.response.header.X-From: integration.response.header.X-Backend
              method.response.header.X-Static: "'static'"
          "4\\d{2}": {statusCode: "404"}
          "5..": {statusCode: "500", responseTemplates: {application/json: '{"broken":true}'}}
  /strict:
    get:
      security: []
      parameters: [{name: status, in: query, schema: {type: string}}]
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: GET
        uri: http://up.internal/status
        requestParameters: {integration.request.querystring.code: method.request.querystring.status}
        responses: {"200": {statusCode: "200"}}
  /mock:
    get:
      security: []
      responses: {"201": {description: made, headers: {X-Mock: {schema: {type: string}}}}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 201}'}
        responses:
          "201":
            statusCode: "201"
            responseParameters: {method.response.header.X-Mock: "'yes'"}
            responseTemplates: {application/json: '{"mock":true}'}
`

// newMapped starts a gateway for the document, before a backend that remembers.
func newMapped(t *testing.T) (*gatewaytest.Gateway, *wire) {
	t.Helper()
	b := &wire{}
	b.rawBackend = newRaw(t, func(r *rawRequest) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.head = r.head
		status := "200"
		if _, code, ok := strings.Cut(r.path(), "code="); ok {
			status = code
		}
		r.say("HTTP/1.1 " + status + " X\r\nContent-Length: 7\r\nX-Backend: from\r\nX-Hidden: h\r\nContent-Type: text/x\r\n\r\nbackend")
		return true
	})
	files := gatewaytest.Config(`
apis: {rest: {openapi: mapped.yaml, stages: {v1: {variables: {color: blue}}}}}
upstreams: {up.internal: {servers: ["` + b.addr() + `"]}}
`)
	files["mapped.yaml"] = mapped
	return gatewaytest.New(t, files), b
}

func TestParameterMapping(t *testing.T) {
	t.Parallel()
	g, b := newMapped(t)
	c := g.Dial()
	c.Say("GET /pets/a%2Fb?q=1&other=x&q=2%20z HTTP/1.1\r\nHost: h\r\nX-In: one\r\nX-In: two\r\nX-Stage: forged\r\n\r\n")
	if a, ok := c.Hear("GET"); !ok || a.Status != 200 || a.Body != "backend" {
		t.Fatalf("%v %+v", ok, a)
	}
	want := always("up.internal",
		"X-Query: 2 z", "X-Header: two", "X-Headers: one", "X-Headers: two", "X-In: one", "X-In: two", "X-Stage: blue",
		"X-Context: /pets/{id}", "X-Static: it is static", "Content-Length: 0")
	slices.Sort(want)
	got := b.got()
	line := strings.TrimSuffix(got[0], " HTTP/1.1")
	if diff := cmp.Diff(want, got[1:]); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(line, "POST "), "?")
	parameters := strings.Split(query, "&")
	slices.Sort(parameters)
	wantQuery := []string{"all=1", "all=2%20z", "from=2%20z", "other=x", "q=1", "q=2%20z"}
	if diff := cmp.Diff(wantQuery, parameters); diff != "" || path != "/x/a%2Fb" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestHTTPIntegration(t *testing.T) {
	t.Parallel()
	g, b := newMapped(t)
	for _, tc := range []struct {
		name, path string
		status     int
		body       string
		header     string // "Name: value" that must be there
		not        string // a name that must not
	}{
		{"default", "/custom?status=200", 200, "backend", "X-From: from", "X-Hidden"},
		{"static", "/custom?status=302", 200, "backend", "X-Static: static", "X-Backend"},
		{"pattern", "/custom?status=418", 404, "backend", "Content-Type: application/json", "X-From"},
		{"constant body", "/custom?status=503", 500, `{"broken":true}`, "Content-Type: application/json", "X-From"},
		{"trace id", "/custom?status=200", 200, "backend", "X-Amzn-Trace-Id", ""},
		{"match", "/strict?status=200", 200, "backend", "", "X-Backend"},
		{"nothing matches", "/strict?status=201", 500, `{"message":"Internal server error"}`, "X-Amzn-Errortype: InternalServerErrorException", ""},
		{"mock", "/mock", 201, `{"mock":true}`, "X-Mock: yes", "X-Amzn-Trace-Id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := g.Do("GET", tc.path, "X-Client: c")
			if a.Status != tc.status || a.Body != tc.body {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			name, value, _ := strings.Cut(tc.header, ": ")
			if got := a.Header.Get(name); name != "" && (got == "" || value != "" && got != value) {
				t.Errorf("%s: %q", name, got)
			}
			if got := a.Header.Values(tc.not); len(got) > 0 {
				t.Errorf("%s: %q", tc.not, got)
			}
		})
	}
	// Of the client's headers and parameters only what is mapped reaches a non-proxy backend.
	g.Do("GET", "/custom?status=200&secret=1", "X-Client: c")
	got := b.got()
	if got[0] != "GET /status?code=200 HTTP/1.1" || slices.Contains(got, "X-Client: c") {
		t.Errorf("%q", got)
	}
	// A mock's media type: a body of one that has no template passes for the template's result.
	if a := g.Do("GET", "/mock", "Content-Type: text/plain"); a.Status != 500 {
		t.Errorf("a mock without a status: %+v", a)
	}
}

func TestOverriddenMethod(t *testing.T) {
	t.Parallel()
	g, b := newMapped(t)
	if a := g.Do("POST", "/pets/1", "X-HTTP-Method-Override: GET"); a.Status != 200 {
		t.Errorf("%+v", a)
	}
	if got := b.got()[0]; !strings.HasPrefix(got, "POST /x/1") { // the integration's own method
		t.Error(got)
	}
	if a := g.Do("POST", "/pets/1"); a.Status != 403 {
		t.Errorf("%+v", a)
	}
}
