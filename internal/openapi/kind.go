package openapi

import (
	"strings"

	"gatehouse/internal/lib/doctree"
)

// mark is the first thing of a document that only one kind of API has.
type mark struct {
	what string
	at   *value
}

func (m *mark) set(what string, at *value) {
	if m.at == nil && at != nil {
		m.what, m.at = what, at
	}
}

// marks of the two kinds.
type marks struct{ rest, http mark }

// chooseKind decides between REST and HTTP: by the option, by Swagger 2.0, which only REST APIs read, else by marks.
func (r *reader) chooseKind() {
	switch {
	case r.o.Kind == "http" && r.swagger:
		r.kind = http
		r.fail(codeSwaggerHTTP, r.place(r.root), "convert the document to OpenAPI 3.0, or use kind: rest",
			"HTTP APIs are defined by OpenAPI 3 and this is Swagger 2.0")
		return
	case r.o.Kind == "http":
		r.kind = http
		return
	case r.o.Kind != "" || r.swagger:
		return
	}
	m := r.marks()
	switch {
	case m.http.at == nil:
	case m.rest.at == nil:
		r.kind = http
	default:
		r.warn(codeMixedKinds, r.keyPlace(m.http.at), "say which it is: kind: rest or kind: http",
			"%s is for HTTP APIs and %s (line %d) for REST APIs; the document is read as a REST API",
			m.http.what, m.rest.what, r.keyPlace(m.rest.at).Line)
	}
}

func (r *reader) marks() marks {
	var m marks
	m.http.set(extCORS, r.root.get(extCORS))
	m.http.set(extIntegrations, r.root.get("components").get(extIntegrations))
	m.http.set("the path "+defaultPath, r.root.get("paths").get(defaultPath))
	r.schemeRoot().each(func(_ string, s *value) {
		m.http.set("jwtConfiguration", s.get(extAuthorizer).get("jwtConfiguration"))
	})
	for _, name := range []string{extRequestValidators, extRequestValidator, extGatewayResponses, extAPIKeySource, extPolicy} {
		m.rest.set(name, r.root.get(name))
	}
	for _, op := range r.operations {
		if m.http.at != nil && m.rest.at != nil {
			break
		}
		m.operation(op)
	}
	return m
}

func (m *marks) operation(op *operation) {
	m.rest.set(extRequestValidator, op.at.get(extRequestValidator))
	m.integration(op.integration)
}

func (m *marks) integration(in *value) {
	if in == nil {
		return
	}
	if v := in.get("payloadFormatVersion"); v != nil && v.n.Value == "2.0" {
		m.http.set(`payloadFormatVersion "2.0"`, v)
	}
	m.http.set("integrationSubtype", in.get("integrationSubtype"))
	m.rest.set("requestTemplates", in.get("requestTemplates"))
	if responses := in.get("responses"); responses.is(doctree.Mapping) {
		responses.each(func(_ string, c *value) { m.rest.set("responseTemplates", c.get("responseTemplates")) })
	}
	if v := in.get("type"); v != nil {
		switch t := strings.ToUpper(v.n.Value); t {
		case "MOCK", "HTTP", "AWS":
			m.rest.set("the integration type "+strings.ToLower(t), v)
		}
	}
}
