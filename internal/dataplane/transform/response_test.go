package transform_test

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

func TestProxyResponse(t *testing.T) {
	tests := []struct {
		name    string
		kind    snapshot.Kind
		backend []string
		want    map[string]string
	}{
		{
			name:    "several values and cookies stay apart and as they are",
			backend: []string{"200 OK", "Content-Length: 0", "Vary: A", "Vary: B", `Set-Cookie: a="b, c"; Path=/;x`, "set-cookie: a=2"},
			want:    map[string]string{"Vary": "A|B", "Set-Cookie": `a="b, c"; Path=/;x|a=2`},
		},
		{
			name:    "headers that Connection names do not pass",
			backend: []string{"200 OK", "Content-Length: 0", "X-Hop: 1", "connection: keep-alive, x-hop", "X-Stays: 1"},
			want:    map[string]string{"X-Hop": "-", "X-Stays": "1", "x-amzn-Remapped-Connection": "keep-alive, x-hop"},
		},
		{
			name: "HTTP API: nothing is renamed", kind: snapshot.HTTP,
			backend: []string{"200 OK", "Content-Length: 0", "Server: nginx", "WWW-Authenticate: Basic", "Via: x", "Connection: keep-alive", "Keep-Alive: 1", "Upgrade: h2", "apigw-requestid: x"},
			want: map[string]string{
				"Server": "nginx", "WWW-Authenticate": "Basic", "Via": "x", "Connection": "-", "Keep-Alive": "-", "Upgrade": "-",
				"apigw-requestid": "-", "Content-Type": "-", "x-amzn-Remapped-Server": "-",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := client(t, "GET", "/")
			answered(t, x, "", tt.backend...)
			got := received(t, route(tt.kind, snapshot.Integration{}), x)
			for name, want := range tt.want {
				if have := header(got, name); have != want {
					t.Errorf("%s: got %q, want %q in\n%s", name, have, want, got)
				}
			}
		})
	}
}

// TestResponseFraming crosses the methods of client and backend with answers that have no body.
func TestResponseFraming(t *testing.T) {
	tests := []struct {
		name, client, integration, body string
		backend                         []string
		status, length, rest            string
	}{
		{"GET", "GET", "", "abc", []string{"201 Created", "Content-Length: 3"}, "201", "3", "abc"},
		{"an unusual status", "GET", "", "", []string{"799 Odd", "Content-Length: 0"}, "799", "0", ""},
		{"HEAD keeps the length", "HEAD", "", "", []string{"200 OK", "Content-Length: 12"}, "200", "12", ""},
		{"HEAD without a length", "HEAD", "", "", []string{"200 OK", "Transfer-Encoding: chunked"}, "200", "-", ""},
		{"HEAD answered by GET", "HEAD", "GET", "abc", []string{"200 OK", "Content-Length: 3"}, "200", "3", ""},
		{"GET answered by HEAD", "GET", "HEAD", "", []string{"200 OK", "Content-Length: 12"}, "200", "0", ""},
		{"204", "GET", "", "", []string{"204 No Content"}, "204", "-", ""},
		{"204 with a length", "GET", "", "", []string{"204 No Content", "Content-Length: 3"}, "204", "-", ""},
		{"304 without a length", "GET", "", "", []string{"304 Not Modified"}, "304", "-", ""},
		{"304 with a length", "GET", "", "", []string{"304 Not Modified", "Content-Length: 3"}, "304", "3", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := route(snapshot.REST, snapshot.Integration{Method: tt.integration})
			x := client(t, tt.client, "/")
			sent(t, r, x)
			answered(t, x, tt.body, tt.backend...)
			got := received(t, r, x)
			if !strings.HasPrefix(got, "HTTP/1.1 "+tt.status+" ") || header(got, "Content-Length") != tt.length || !strings.HasSuffix(got, "\r\n\r\n"+tt.rest) {
				t.Errorf("got\n%s", got)
			}
			if n := strings.Count(got, "Content-Length"); n > 1 {
				t.Errorf("%d lengths in\n%s", n, got)
			}
		})
	}
}

func TestBodyIsMovedNotCopied(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{})
	x := client(t, "GET", "/")
	answered(t, x, "hello", "200 OK", "Content-Length: 5")
	was := &x.Backend.Response.Body()[0]
	received(t, r, x)
	if &x.Response.Body()[0] != was {
		t.Error("the body was copied")
	}
	x.Backend.Response.Reset()
	if got := string(x.Response.Body()); got != "hello" {
		t.Errorf("the client's body became %q with the end of the exchange", got)
	}
}

// TestStreamOutlivesExchange: the exchange ends, and serves another request, before the client's answer is written.
func TestStreamOutlivesExchange(t *testing.T) {
	for _, length := range []int{5, -1, -2} {
		x := client(t, "GET", "/")
		answered(t, x, "", "200 OK", "X-A: 1", "Content-Length: 5")
		body := &closeCounter{Reader: strings.NewReader("hello")}
		x.Backend.Response.SetBodyStream(body, length)
		r := route(snapshot.REST, snapshot.Integration{})
		x.Route, x.Stage = r, r.Stage
		if err := transform.Response(r).Do(x); err != nil {
			t.Fatal(err)
		}
		if got := string(x.Backend.Response.Header.Peek("X-A")); got != "1" {
			t.Errorf("the backend's header is gone: %q", got)
		}
		answer := x.Response
		x.Reset()
		if body.closed != 0 {
			t.Fatal("the stream was closed with the exchange")
		}
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		if err := answer.Write(w); err != nil {
			t.Fatal(err)
		}
		_ = w.Flush()
		if !strings.Contains(out.String(), "hello") || body.closed != 1 {
			t.Errorf("length %d: closed %d times, sent\n%s", length, body.closed, out.String())
		}
		if chunked := header(out.String(), "Transfer-Encoding") == "chunked"; chunked != (length < 0) {
			t.Errorf("length %d: sent\n%s", length, out.String())
		}
	}
}

func pattern(s string) *regexp.Regexp { return regexp.MustCompile("^(?:" + s + ")$") }

func TestChosenResponse(t *testing.T) {
	responses := []snapshot.IntegrationResponse{
		{Pattern: pattern("4|404"), Status: 410, Bodies: []snapshot.Body{
			{MediaType: "text/plain", Text: "gone"}, {MediaType: "application/json", Text: `{"gone":true}`}, {MediaType: "text/html", Text: "<p>"},
		}},
		{Pattern: pattern(`5\d{2}`), Status: 502, Headers: []snapshot.Assign{{Name: "content-type", Value: snapshot.Lit("text/x\n")}}},
		{Pattern: pattern("418"), Status: 200, Bodies: []snapshot.Body{{MediaType: "text/plain", Text: "tea"}, {MediaType: "text/css", Text: "css"}}},
		{Pattern: pattern("304"), Status: 200},
		{Pattern: pattern("205"), Status: 204},
		{Status: 203, Headers: []snapshot.Assign{
			{Name: "X-Got", Value: snapshot.Text{{Name: "<"}, {Source: snapshot.ResponseHeader, Name: "x-a"}, {Name: ">"}}},
			{Name: "X-All", Multi: true, Value: snapshot.Text{{Source: snapshot.ResponseMultiHeader, Name: "X-A"}}},
			{Name: "X-Body", Value: snapshot.Text{{Source: snapshot.ResponseBody}}},
			{Name: "X-None", Value: snapshot.Text{{Source: snapshot.ResponseHeader, Name: "x-none"}}},
			{Name: "Server", Value: snapshot.Lit("me")},
			{Name: "Content-Length", Value: snapshot.Lit("99")},
			{Name: "Transfer-Encoding", Value: snapshot.Lit("chunked")},
			{Name: "Via", Value: snapshot.Lit("1.1 v")},
			{Name: "Accept", Value: snapshot.Lit("a/b")},
		}},
	}
	tests := []struct {
		name, accept, status, want, body string
		headers                          map[string]string
	}{
		{"the pattern matches the whole status, JSON unless asked otherwise", "", "404", "410", `{"gone":true}`, map[string]string{"Content-Type": "application/json"}},
		{"the first type of Accept", "Text/Plain;q=1, text/html", "404", "410", "gone", map[string]string{"Content-Type": "text/plain"}},
		{"a type there is no template for", "image/png", "404", "410", `{"gone":true}`, nil},
		{"the first template without JSON", "image/png", "418", "200", "tea", nil},
		{"a mapped Content-Type, the body passes", "", "500", "502", "backend", map[string]string{"Content-Type": "text/x", "X-A": "-"}},
		{"the default", "", "200", "203", "backend", map[string]string{
			"Content-Type": "application/json", "X-Got": "<2>", "X-All": "1|2", "X-None": "-",
			"X-Body": "backend", "X-A": "-", "x-amzn-Remapped-Server": "me", "Server": "-", "Content-Length": "7", "Transfer-Encoding": "-", "Via": "1.1 v", "Accept": "-",
		}},
		{"a 304 made a 200 has no body", "", "304", "200", "", map[string]string{"Content-Length": "0"}},
		{"a status without a body", "", "205", "204", "", map[string]string{"Content-Length": "-"}},
	}
	r := route(snapshot.REST, snapshot.Integration{Kind: snapshot.HTTPCustom, Responses: responses})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := client(t, "GET", "/", "Accept: "+tt.accept)
			sent(t, r, x)
			body := "backend"
			if tt.status == "304" {
				body = ""
			}
			answered(t, x, body, tt.status+" X", "Content-Length: 7", "X-A: 1", "X-A: 2", "Content-Type: b/b")
			got := received(t, r, x)
			if !strings.HasPrefix(got, "HTTP/1.1 "+tt.want+" ") || !strings.HasSuffix(got, "\r\n\r\n"+tt.body) {
				t.Errorf("got\n%s", got)
			}
			if header(got, "X-Amzn-Trace-Id") == "-" {
				t.Errorf("no trace id in\n%s", got)
			}
			for name, want := range tt.headers {
				if have := header(got, name); have != want {
					t.Errorf("%s: got %q, want %q in\n%s", name, have, want, got)
				}
			}
		})
	}
}

func TestMockResponse(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{Kind: snapshot.Mock, Responses: []snapshot.IntegrationResponse{
		{Pattern: pattern("404"), Status: 404, Bodies: []snapshot.Body{{MediaType: "application/json", Text: `{"no":1}`}}},
		{Status: 200, Headers: []snapshot.Assign{{Name: "Access-Control-Allow-Origin", Value: snapshot.Lit("*")}, {Name: "Via", Value: snapshot.Lit("x")}}},
	}})
	x := client(t, "OPTIONS", "/")
	x.Backend.Called, x.Backend.Status = true, 200
	got := received(t, r, x)
	if !strings.HasPrefix(got, "HTTP/1.1 200 ") || header(got, "Access-Control-Allow-Origin") != "*" || header(got, "Content-Length") != "0" ||
		header(got, "Content-Type") != "application/json" || header(got, "X-Amzn-Trace-Id") != "-" || header(got, "Via") != "-" {
		t.Errorf("got\n%s", got)
	}
	x = client(t, "GET", "/")
	x.Backend.Called, x.Backend.Status = true, 404
	if got := received(t, r, x); !strings.HasPrefix(got, "HTTP/1.1 404 ") || !strings.HasSuffix(got, `{"no":1}`) {
		t.Errorf("got\n%s", got)
	}
}

func TestNoResponseMatches(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{Kind: snapshot.HTTPCustom, Responses: []snapshot.IntegrationResponse{{Pattern: pattern("2.."), Status: 200}}})
	x := client(t, "GET", "/")
	answered(t, x, "x", "500 X", "Content-Length: 1")
	if err := transform.Response(r).Do(x); err == nil || fault.Of(err).Kind != fault.APIConfigurationError {
		t.Errorf("got %v, want API_CONFIGURATION_ERROR", err)
	}
}

func TestMappedStream(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{Kind: snapshot.HTTPCustom, Responses: []snapshot.IntegrationResponse{
		{Status: 200, Headers: []snapshot.Assign{{Name: "X-Body", Value: snapshot.Text{{Source: snapshot.ResponseBody}}}}},
	}})
	t.Run("read once for the mapping and then passed", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "", "200 OK", "Transfer-Encoding: chunked")
		body := &closeCounter{Reader: strings.NewReader("hello")}
		x.Backend.Response.SetBodyStream(body, -1)
		got := received(t, r, x)
		if header(got, "X-Body") != "hello" || !strings.HasSuffix(got, "\r\n\r\nhello") || body.closed != 1 {
			t.Errorf("closed %d times, got\n%s", body.closed, got)
		}
	})
	t.Run("over 10 MB", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "", "200 OK", "Transfer-Encoding: chunked")
		x.Backend.Response.SetBodyStream(io.LimitReader(zeros{}, exchange.MaxBody+1), -1)
		if err := transform.Response(r).Do(x); err == nil || fault.Of(err).Kind != fault.IntegrationFailure {
			t.Errorf("got %v, want INTEGRATION_FAILURE", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
