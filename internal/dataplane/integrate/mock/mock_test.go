package mock_test

import (
	"testing"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/mock"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

func TestMock(t *testing.T) {
	const refused = -1
	json, xml := []string{"application/json"}, []string{"text/xml"}
	tests := []struct {
		name, contentType, body, template string
		types                             []string
		unmatched                         snapshot.Passthrough
		status                            int // refused: kind says why
		kind                              fault.Kind
	}{
		{name: "the template", types: json, template: "201", status: 201},
		{name: "parameters and case do not count", contentType: "Application/JSON; charset=utf-8", types: json, template: "200", status: 200},
		{name: "types of the definition with parameters", contentType: "text/xml", types: []string{"Text/XML;x=y"}, template: "200", status: 200},
		{name: "a template without a status", types: json, status: refused, kind: fault.APIConfigurationError},
		{name: "a template with no number", types: json, template: "abc", status: refused, kind: fault.APIConfigurationError},
		{name: "WHEN_NO_MATCH passes another type", contentType: "text/plain", types: json, template: "200", body: `{"statusCode": 404, "x": [1]}`, status: 404},
		{name: "WHEN_NO_MATCH passes without templates", body: `{"statusCode": 404}`, status: 404},
		{name: "no Content-Type is JSON", types: xml, template: "200", unmatched: snapshot.Never, status: refused, kind: fault.UnsupportedMediaType},
		{name: "WHEN_NO_TEMPLATES refuses another type", contentType: "text/plain", types: json, template: "200", unmatched: snapshot.WhenNoTemplates, status: refused, kind: fault.UnsupportedMediaType},
		{name: "WHEN_NO_TEMPLATES passes without templates", body: `{"statusCode":204}`, unmatched: snapshot.WhenNoTemplates, status: 204},
		{name: "NEVER refuses another type", contentType: "text/plain", types: json, template: "200", unmatched: snapshot.Never, status: refused, kind: fault.UnsupportedMediaType},
		{name: "NEVER refuses without templates", unmatched: snapshot.Never, status: refused, kind: fault.UnsupportedMediaType},
		{name: "NEVER uses the template", types: json, template: "200", unmatched: snapshot.Never, status: 200},
		{name: "a passed body without quotes", body: "\n{ statusCode : 202 }", status: 202},
		{name: "a passed body with a quoted number", body: `{"statusCode":"202"}`, status: 202},
		{name: "no body", status: refused, kind: fault.APIConfigurationError},
		{name: "a body that is no JSON", body: "statusCode: 200", status: refused, kind: fault.APIConfigurationError},
		{name: "JSON that is no object", body: "200", status: refused, kind: fault.APIConfigurationError},
		{name: "JSON without a status", body: `{"StatusCode":200}`, status: refused, kind: fault.APIConfigurationError},
		{name: "a status that is none", body: `{"statusCode":99}`, status: refused, kind: fault.APIConfigurationError},
		{name: "a status with too many digits", body: `{"statusCode":2000}`, status: refused, kind: fault.APIConfigurationError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := &exchange.Exchange{Request: &fasthttp.Request{}, Response: &fasthttp.Response{}}
			x.Request.Header.SetMethod("POST")
			if tt.contentType != "" {
				x.Request.Header.SetContentType(tt.contentType)
			}
			x.Request.SetBodyString(tt.body)
			step := mock.For(&snapshot.Route{Integration: &snapshot.Integration{
				Kind: snapshot.Mock, MockStatus: tt.template, RequestTypes: tt.types, Unmatched: tt.unmatched,
			}})
			err := step.Do(x)
			if !x.Backend.Called {
				t.Error("Called is not set")
			}
			if tt.status == refused {
				if err == nil || fault.Of(err).Kind != tt.kind || x.Backend.Status != 0 {
					t.Errorf("got status %d, %v, want %v", x.Backend.Status, err, tt.kind)
				}
				return
			}
			if err != nil || x.Backend.Status != tt.status {
				t.Errorf("got %d, %v, want %d", x.Backend.Status, err, tt.status)
			}
		})
	}
}

func TestForOthers(t *testing.T) {
	for _, r := range []*snapshot.Route{{}, {Integration: &snapshot.Integration{Kind: snapshot.HTTPProxy}}} {
		if mock.For(r) != nil {
			t.Error("got a step for a route that is no mock")
		}
	}
}

func FuzzPassedBody(f *testing.F) {
	f.Add([]byte(`{"statusCode":200}`))
	f.Add([]byte(`{statusCode:200}`))
	f.Add([]byte(`{"statusCode":"`))
	step := mock.For(&snapshot.Route{Integration: &snapshot.Integration{Kind: snapshot.Mock}})
	f.Fuzz(func(t *testing.T, body []byte) {
		x := &exchange.Exchange{Request: &fasthttp.Request{}}
		x.Request.SetBodyRaw(body)
		if err := step.Do(x); (err == nil) != (x.Backend.Status >= 100 && x.Backend.Status <= 999) {
			t.Errorf("status %d, %v", x.Backend.Status, err)
		}
	})
}
