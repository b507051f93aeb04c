package respond_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/respond"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

func newExchange(kind snapshot.Kind) *exchange.Exchange {
	s := &snapshot.Stage{ID: "a/v1", Name: "v1", API: &snapshot.API{ID: "a", Kind: kind}}
	x := &exchange.Exchange{Request: &fasthttp.Request{}, Response: &fasthttp.Response{}, Stage: s}
	x.Response.SetBodyString("what the backend said")
	x.NewIDs()
	return x
}

// refused renders one kind and gives status, error type and body.
func refused(kind snapshot.Kind, err error) (int, string, string) {
	x := newExchange(kind)
	respond.Refuse(x, err)
	respond.Finish(x)
	return x.Response.StatusCode(), string(x.Response.Header.Peek("x-amzn-ErrorType")), string(x.Response.Body())
}

// TestREST holds AWS's table of gateway responses (sections 1.18 and 1.31).
func TestREST(t *testing.T) {
	for _, tc := range []struct {
		kind      fault.Kind
		status    int
		errorType string
		body      string
	}{
		{fault.AccessDenied, 403, "AccessDeniedException", `{"Message":"User is not authorized to access this resource"}`},
		{fault.APIConfigurationError, 500, "InternalServerErrorException", `{"message":"Internal server error"}`},
		{fault.AuthorizerConfigurationError, 500, "AuthorizerConfigurationException", `{"message":null}`},
		{fault.AuthorizerFailure, 500, "AuthorizerFailureException", `{"message":null}`},
		{fault.BadRequestBody, 400, "BadRequestException", `{"message":"Invalid request body"}`},
		{fault.BadRequestParameters, 400, "BadRequestException", `{"message":"Missing required request parameters"}`},
		{fault.ExpiredToken, 403, "ExpiredTokenException", `{"message":"The security token included in the request is expired"}`},
		{fault.IntegrationFailure, 500, "InternalServerErrorException", `{"message":"Internal server error"}`},
		{fault.IntegrationTimeout, 504, "InternalServerErrorException", `{"message":"Endpoint request timed out"}`},
		{fault.InvalidAPIKey, 403, "ForbiddenException", `{"message":"Forbidden"}`},
		{fault.MissingAuthenticationToken, 403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
		{fault.QuotaExceeded, 429, "LimitExceededException", `{"message":"Limit Exceeded"}`},
		{fault.RequestTooLarge, 413, "RequestTooLargeException", `{"message":"Request Too Long"}`},
		{fault.ResourceNotFound, 404, "ResourceNotFoundException", `{"message":"Not Found"}`},
		{fault.Throttled, 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		{fault.Unauthorized, 401, "UnauthorizedException", `{"message":"Unauthorized"}`},
		{fault.UnsupportedMediaType, 415, "BadRequestException", `{"message":"Unsupported Media Type"}`},
		{fault.WAFFiltered, 403, "ForbiddenException", `{"message":"Forbidden"}`},
		{fault.NoMapping, 403, "ForbiddenException", `{"message":"Forbidden"}`},
		{fault.Malformed, 400, "BadRequestException", `{"message":"Bad Request"}`},
		{fault.URITooLong, 414, "RequestUriTooLongException", `{"message":"Request-URI Too Long"}`},
		{fault.HeadersTooLarge, 431, "RequestHeaderFieldsTooLargeException", `{"message":"Request Header Fields Too Large"}`},
	} {
		t.Run(tc.kind.String(), func(t *testing.T) {
			status, errorType, body := refused(snapshot.REST, fault.New(tc.kind, "for the log only"))
			if status != tc.status || errorType != tc.errorType || body != tc.body {
				t.Errorf("got %d %q %s\nwant %d %q %s", status, errorType, body, tc.status, tc.errorType, tc.body)
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	for _, tc := range []struct {
		kind   fault.Kind
		status int
		body   string
	}{
		{fault.ResourceNotFound, 404, `{"message":"Not Found"}`},
		{fault.NoMapping, 403, `{"message":"Forbidden"}`},
		{fault.Unauthorized, 401, `{"message":"Unauthorized"}`},
		{fault.AccessDenied, 403, `{"message":"Forbidden"}`},
		{fault.Throttled, 429, `{"message":"Too Many Requests"}`},
		{fault.RequestTooLarge, 413, `{"message":"Request Entity Too Large"}`},
		{fault.IntegrationFailure, 503, `{"message":"Service Unavailable"}`},
		{fault.IntegrationTimeout, 504, `{"message":"Gateway Timeout"}`},
		{fault.APIConfigurationError, 500, `{"message":"Internal Server Error"}`},
		{fault.Malformed, 400, `{"message":"Bad Request"}`},
	} {
		t.Run(tc.kind.String(), func(t *testing.T) {
			status, errorType, body := refused(snapshot.HTTP, fault.New(tc.kind, ""))
			if status != tc.status || body != tc.body || errorType != "" {
				t.Errorf("got %d %q %s, want %d %s", status, errorType, body, tc.status, tc.body)
			}
		})
	}
}

func TestReasonsStayInside(t *testing.T) {
	_, _, body := refused(snapshot.REST, errors.New("the secret is hunter2"))
	if strings.Contains(body, "hunter2") || body != `{"message":"Internal server error"}` {
		t.Error(body)
	}
}

func TestIDs(t *testing.T) {
	for _, tc := range []struct {
		kind snapshot.Kind
		want []string
		none string
	}{
		{snapshot.REST, []string{"x-amzn-RequestId", "x-amz-apigw-id"}, "apigw-requestid"},
		{snapshot.HTTP, []string{"apigw-requestid"}, "x-amzn-RequestId"},
	} {
		x := newExchange(tc.kind)
		respond.Finish(x)
		for _, name := range tc.want {
			if len(x.Response.Header.Peek(name)) == 0 {
				t.Errorf("%v: no %s", tc.kind, name)
			}
		}
		if len(x.Response.Header.Peek(tc.none)) != 0 {
			t.Errorf("%v: has %s", tc.kind, tc.none)
		}
	}
}

func TestCustomised(t *testing.T) {
	message := snapshot.Text{
		{Name: `{"say":`},
		{Source: snapshot.Context, Var: snapshot.CtxErrorMessageString},
		{Name: `,"to":"`},
		{Source: snapshot.RequestHeader, Name: "Who"},
		{Name: `"}`},
	}
	own := &snapshot.Refusal{
		Status:  418,
		Headers: []snapshot.Assign{{Name: "X-Type", Value: snapshot.Text{{Source: snapshot.Context, Var: snapshot.CtxErrorResponseType}}}},
		Bodies:  []snapshot.RefusalBody{{MediaType: "application/json", Text: message}, {MediaType: "text/html", Text: snapshot.Lit("<p>no</p>")}},
	}
	for _, tc := range []struct {
		name, accept string
		set          map[fault.Kind]*snapshot.Refusal
		kind         fault.Kind
		status       int
		body, header string
	}{
		{"own type", "", map[fault.Kind]*snapshot.Refusal{fault.Throttled: own}, fault.Throttled, 418, `{"say":"Too Many Requests","to":"a\"b"}`, "THROTTLED"},
		{"by Accept", "text/html;q=1, */*", map[fault.Kind]*snapshot.Refusal{fault.Throttled: own}, fault.Throttled, 418, "<p>no</p>", "THROTTLED"},
		{"default of the class overrides the status", "", map[fault.Kind]*snapshot.Refusal{fault.Default4XX: own}, fault.InvalidAPIKey, 418, `{"say":"Forbidden","to":"a\"b"}`, "INVALID_API_KEY"},
		{"default of the other class does not", "", map[fault.Kind]*snapshot.Refusal{fault.Default5XX: own}, fault.InvalidAPIKey, 403, `{"message":"Forbidden"}`, ""},
		{"own goes before default", "", map[fault.Kind]*snapshot.Refusal{fault.Default4XX: own, fault.Throttled: {}}, fault.Throttled, 429, `{"message":"Too Many Requests"}`, ""},
		{"a customised failure is 504", "", map[fault.Kind]*snapshot.Refusal{fault.IntegrationFailure: {}}, fault.IntegrationFailure, 504, `{"message":"Internal server error"}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newExchange(snapshot.REST)
			for k, r := range tc.set {
				x.Stage.Refusals[k] = r
			}
			x.Request.Header.Set("Who", `a"b`)
			x.Request.Header.Set("Accept", tc.accept)
			respond.Refuse(x, fault.New(tc.kind, ""))
			if got := string(x.Response.Body()); got != tc.body || x.Response.StatusCode() != tc.status {
				t.Errorf("got %d %s, want %d %s", x.Response.StatusCode(), got, tc.status, tc.body)
			}
			if got := string(x.Response.Header.Peek("X-Type")); got != tc.header {
				t.Errorf("header %q, want %q", got, tc.header)
			}
		})
	}
}
