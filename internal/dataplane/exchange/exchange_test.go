package exchange_test

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// sample is a request for /v1/pets/a%2Fb with a little of everything.
func sample() *exchange.Exchange {
	req, resp := &fasthttp.Request{}, &fasthttp.Response{}
	req.Header.DisableNormalizing()
	req.Header.SetMethod("POST")
	req.Header.SetRequestURI("/v1/pets/a%2Fb?q=1&q=a%20b;z=%C3%A9&empty=&q=x+y#frag")
	req.Header.SetHost("api.example.com:8080")
	req.Header.SetUserAgent(`cu"rl`)
	req.Header.Add("X-Many", "one")
	req.Header.Add("x-many", "two")
	req.SetBodyString(`{"a":1}`)
	resp.SetStatusCode(201)
	resp.SetBodyString("12345678")
	api := &snapshot.API{ID: "shop", Name: "Shop"}
	stage := &snapshot.Stage{ID: "shop/v1", Name: "v1", API: api}
	x := &exchange.Exchange{}
	x.Reset()
	x.Request, x.Response = req, resp
	x.ClientIP = netip.MustParseAddr("2001:db8::1")
	x.Started = time.Unix(1_700_000_000, 123_000_000)
	x.Stage, x.Method, x.BasePath = stage, []byte("POST"), "/base"
	x.Route = &snapshot.Route{Key: "POST /pets/{id}", Path: "/pets/{id}", ResourceID: "abc123", Params: []string{"id"}, Stage: stage}
	x.Path = []byte("/pets/a%2Fb")
	x.Captures.N = 1
	x.Captures.C[0].Start, x.Captures.C[0].End = 6, 11
	x.Backend.Response.Header.DisableNormalizing()
	x.Backend.Response.Header.Add("X-Back", "1")
	x.Backend.Response.Header.Add("X-Back", "2")
	x.Backend.Response.SetBodyString("backend's")
	x.NewIDs()
	return x
}

func TestValues(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    snapshot.Segment
		want string
	}{
		{"path variable, decoded", snapshot.Segment{Source: snapshot.RequestPath}, "a/b"},
		{"path variable by name", snapshot.Segment{Source: snapshot.RequestPath, Name: "id", Index: -1}, "a/b"},
		{"unknown path variable", snapshot.Segment{Source: snapshot.RequestPath, Name: "none", Index: -1}, ""},
		{"last query value", snapshot.Segment{Source: snapshot.RequestQuery, Name: "q"}, "x y"},
		{"a semicolon splits", snapshot.Segment{Source: snapshot.RequestQuery, Name: "z"}, "é"},
		{"query names are case-sensitive", snapshot.Segment{Source: snapshot.RequestQuery, Name: "Q"}, ""},
		{"all query values", snapshot.Segment{Source: snapshot.RequestMultiQuery, Name: "q"}, "1,a b,x y"},
		{"last header value", snapshot.Segment{Source: snapshot.RequestHeader, Name: "X-MANY"}, "two"},
		{"all header values", snapshot.Segment{Source: snapshot.RequestMultiHeader, Name: "X-Many"}, "one,two"},
		{"body", snapshot.Segment{Source: snapshot.RequestBody}, `{"a":1}`},
		{"answer header", snapshot.Segment{Source: snapshot.ResponseHeader, Name: "x-back"}, "2"},
		{"answer headers", snapshot.Segment{Source: snapshot.ResponseMultiHeader, Name: "x-back"}, "1,2"},
		{"answer body", snapshot.Segment{Source: snapshot.ResponseBody}, "backend's"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string(sample().AppendValue(nil, &tc.s)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestContext(t *testing.T) {
	names := snapshot.ContextVars()
	want := map[string]string{
		"accountId": exchange.AccountID, "apiId": "shop", "stage": "v1", "resourcePath": "/pets/{id}", "resourceId": "abc123",
		"routeKey": "POST /pets/{id}", "httpMethod": "POST", "path": "/v1/pets/a%2Fb", "protocol": "HTTP/1.1",
		"domainName": "api.example.com", "domainPrefix": "api", "customDomain.basePathMatched": "base",
		"identity.sourceIp": "2001:db8::1", "identity.userAgent": `cu"rl`, "identity.apiKey": "", "identity.apiKeyId": "",
		"requestTime": "14/Nov/2023:22:13:20 +0000", "requestTimeEpoch": "1700000000123",
		"status": "201", "responseLength": "8", "endpointType": "REGIONAL", "error.message": "", "integration.status": "",
		"isCanaryRequest": "", "wafResponseCode": "",
	}
	for name, w := range want {
		v, ok := names[name]
		if !ok {
			t.Errorf("$context.%s is not known", name)
			continue
		}
		if got := string(sample().AppendValue(nil, &snapshot.Segment{Source: snapshot.Context, Var: v})); got != w {
			t.Errorf("$context.%s: got %q, want %q", name, got, w)
		}
	}
}

// TestKeyIsNotPrinted: the value of a key is a secret, its id stands for it.
func TestKeyIsNotPrinted(t *testing.T) {
	x := sample()
	x.Key = &snapshot.Key{ID: "alice"}
	for _, v := range []snapshot.ContextVar{snapshot.CtxAPIKey, snapshot.CtxAPIKeyID} {
		if got := string(x.AppendValue(nil, &snapshot.Segment{Source: snapshot.Context, Var: v})); got != "alice" {
			t.Errorf("got %q", got)
		}
	}
}

func TestRefusalInContext(t *testing.T) {
	x := sample()
	x.Refusal, x.RefusalMessage = fault.New(fault.Throttled, "secret reason"), `Too "many"`
	text := snapshot.Text{
		{Source: snapshot.Context, Var: snapshot.CtxErrorMessageString},
		{Name: " "},
		{Source: snapshot.Context, Var: snapshot.CtxErrorResponseType},
		{Name: " "},
		{Source: snapshot.Context, Var: snapshot.CtxErrorMessage},
	}
	if got := string(x.Append(nil, text, exchange.JSONString)); got != `"Too \"many\"" THROTTLED Too \"many\"` {
		t.Error(got)
	}
}

func TestEscapes(t *testing.T) {
	nasty := "a\r\nb\x00\"\\\t\x7f/é\xff"
	for _, tc := range []struct {
		name   string
		escape exchange.Escape
		want   string
	}{
		{"header", exchange.Raw, "ab\"\\\t\x7f/é\xff"},
		{"path", exchange.PathSegment, "a%0D%0Ab%00%22%5C%09%7F%2F%C3%A9%FF"},
		{"query", exchange.QueryValue, "a%0D%0Ab%00%22%5C%09%7F%2F%C3%A9%FF"},
		{"JSON", exchange.JSONString, "a\\r\\nb\\u0000\\\"\\\\\\t\\u007f/é\ufffd"},
		{"log", exchange.LogLine, "a\\x0d\\x0ab\\x00\\x22\\x5c\\x09\\x7f/é\xff"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := sample()
			x.Backend.Response.SetBodyString(nasty)
			got := string(x.Append([]byte("<"), snapshot.Text{{Source: snapshot.ResponseBody}, {Name: ">"}}, tc.escape))
			if d := cmp.Diff("<"+tc.want+">", got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEmptyInLogs(t *testing.T) {
	none := snapshot.Text{{Source: snapshot.RequestHeader, Name: "none"}}
	for e, want := range map[exchange.Escape]string{exchange.LogLine: "-", exchange.LogJSON: "-", exchange.Raw: "", exchange.JSONString: ""} {
		if got := string(sample().Append(nil, none, e)); got != want {
			t.Errorf("%d: %q", e, got)
		}
	}
}

func TestIDs(t *testing.T) {
	x, y := sample(), sample()
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).Match(x.ID()) {
		t.Errorf("request id %s", x.ID())
	}
	if !regexp.MustCompile(`^[A-Za-z0-9+/]{15}=$`).Match(x.ExtendedID()) {
		t.Errorf("extended id %s", x.ExtendedID())
	}
	if string(x.ID()) == string(y.ID()) || string(x.ExtendedID()) == string(y.ExtendedID()) {
		t.Error("two requests have the same id")
	}
	if got := string(x.AppendTraceID(nil)); !regexp.MustCompile(`^Root=1-6553f100-[0-9a-f]{24}$`).MatchString(got) {
		t.Errorf("trace id %s", got)
	}
}

func TestBodyIsBounded(t *testing.T) {
	x := sample()
	x.Request.SetBodyStream(strings.NewReader(strings.Repeat("x", exchange.MaxBody+1)), -1)
	if _, err := x.Body(); fault.Of(err).Kind != fault.RequestTooLarge {
		t.Errorf("got %v", err)
	}
	x = sample()
	x.Request.SetBodyStream(strings.NewReader(strings.Repeat("x", exchange.MaxBody)), -1)
	if b, err := x.Body(); err != nil || len(b) != exchange.MaxBody {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add("a\"\\\x00\xff\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal([]byte(`"`+string(exchange.AppendJSON(nil, []byte(s)))+`"`), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); len([]rune(got)) < len([]rune(want)) {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}
