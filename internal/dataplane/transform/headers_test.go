package transform_test

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/snapshot"
)

const secret = "AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=00"

// TestHeaderTable holds AWS's table of header treatment, row by row: what a client's header is to an HTTP_PROXY
// backend, and what a backend's is to the client. "P" passes, "-" is dropped, another text is the value or new name.
func TestHeaderTable(t *testing.T) {
	const remapped = "x-amzn-Remapped-"
	rows := []struct{ name, value, request, response string }{
		{"Accept", "text/plain", "P", "P"},
		{"Accept-Charset", "utf-8", "P", "P"},
		{"Accept-Encoding", "gzip", "P", "P"},
		{"Age", "3", "P", "P"},
		{"Pragma", "no-cache", "P", "P"},
		{"Range", "bytes=0-1", "P", "P"},
		{"Referer", "http://x.test/", "P", "P"},
		{"Warn", "x", "P", "P"},
		{"Authorization", "Bearer x", "P", remapped + "Authorization"},
		{"Authorization", secret, "-", remapped + "Authorization"},
		{"Connection", "keep-alive", "-", remapped + "Connection"},
		{"Content-Encoding", "gzip", "-", "P"},
		{"Content-MD5", "x", "-", remapped + "Content-MD5"},
		{"Content-Type", "text/csv; charset=utf-8", "P", "P"},
		{"Expect", "100-continue", "-", "-"},
		{"Max-Forwards", "3", "-", remapped + "Max-Forwards"},
		{"Proxy-Authenticate", "Basic", "-", "-"},
		{"TE", "trailers", "-", "-"},
		{"Upgrade", "h2c", "-", "-"},
		{"Server", "nginx", "-", remapped + "Server"},
		{"User-Agent", "curl", "P", remapped + "User-Agent"},
		{"Via", "1.1 x", "-", "-"},
		{"WWW-Authenticate", "Basic", "-", remapped + "WWW-Authenticate"},
		// Rows that AWS's table does not have.
		{"Keep-Alive", "timeout=5", "-", "-"},
		{"Proxy-Authorization", "Basic x", "-", "-"},
		{"Proxy-Connection", "keep-alive", "-", "-"},
		{"X-Api-Key", "0123", "P", "P"},
		{"X-Custom", "a", "P", "P"},
		{"x-amzn-RequestId", "a", "P", remapped + "x-amzn-RequestId"},
		{"x-amz-apigw-id", "a", "P", remapped + "x-amz-apigw-id"},
		{"X-Amzn-Apigateway-Api-Id", "spoofed", "abc123", "P"},
		{"X-Forwarded-Proto", "spoofed", "http", "P"},
		{"X-Forwarded-Port", "spoofed", "80", "P"},
	}
	r := route(snapshot.REST, snapshot.Integration{})
	for _, row := range rows {
		for _, name := range []string{row.name, strings.ToLower(row.name), strings.ToUpper(row.name)} {
			t.Run("to HTTP_PROXY/"+name+": "+row.value, func(t *testing.T) {
				want := row.request
				if want == "P" {
					want = row.value
				}
				got := sent(t, r, client(t, "GET", "/", name+": "+row.value))
				if have := header(got, row.name); have != want {
					t.Errorf("got %q, want %q in\n%s", have, want, got)
				}
			})
			t.Run("response/"+name+": "+row.value, func(t *testing.T) {
				x := client(t, "GET", "/")
				answered(t, x, "", "200 OK", "Content-Length: 0", name+": "+row.value)
				checkResponse(t, received(t, r, x), row.name, row.value, row.response)
			})
		}
	}
}

func checkResponse(t *testing.T, got, name, value, fate string) {
	t.Helper()
	renamed := ""
	switch fate {
	case "P":
		if have := header(got, name); have != value {
			t.Errorf("got %q, want %q in\n%s", have, value, got)
		}
		return
	case "-":
	default:
		renamed = value
		if have := header(got, fate); have != renamed {
			t.Errorf("%s: got %q, want %q in\n%s", fate, have, value, got)
		}
		if !strings.Contains(got, "\r\n"+fate+": ") {
			t.Errorf("the name is not spelt %s in\n%s", fate, got)
		}
	}
	if have := header(got, name); have != "-" {
		t.Errorf("%s: %q is still there in\n%s", name, have, got)
	}
}

// TestHeaderTableFraming holds the rows that a server or the gateway writes itself.
func TestHeaderTableFraming(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{})
	t.Run("Host: overwritten with backend host", func(t *testing.T) {
		if got := header(sent(t, r, client(t, "GET", "/")), "Host"); got != "backend.test" {
			t.Errorf("Host: %q", got)
		}
	})
	t.Run("Content-Length: generated from body", func(t *testing.T) {
		x := client(t, "POST", "/", "Content-Length: 3")
		x.Request.SetBodyRaw([]byte("abc"))
		got := sent(t, r, x)
		if header(got, "Content-Length") != "3" || !strings.HasSuffix(got, "\r\n\r\nabc") {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Content-Length: 0 for a POST without body", func(t *testing.T) {
		if got := sent(t, r, client(t, "POST", "/")); header(got, "Content-Length") != "0" {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Transfer-Encoding, Trailer: dropped on the way out", func(t *testing.T) {
		x := client(t, "POST", "/", "Transfer-Encoding: chunked", "Trailer: X-Sum")
		x.Request.SetBodyRaw([]byte("abc")) // somebody read it
		got := sent(t, r, x)
		if header(got, "Transfer-Encoding") != "-" || header(got, "Trailer") != "-" || header(got, "Content-Length") != "3" {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Transfer-Encoding: dropped on the way back", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "abc", "200 OK", "Transfer-Encoding: chunked")
		got := received(t, r, x)
		if header(got, "Transfer-Encoding") != "-" || header(got, "Content-Length") != "3" {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Date: passes to the backend", func(t *testing.T) {
		if got := header(sent(t, r, client(t, "GET", "/", "Date: x")), "Date"); got != "x" {
			t.Errorf("Date: %q", got)
		}
	})
	t.Run("Date: remapped and overwritten in the response", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "", "200 OK", "Content-Length: 0", "date: yesterday")
		got := received(t, r, x)
		if header(got, "x-amzn-Remapped-Date") != "yesterday" || strings.Contains(header(got, "Date"), "yesterday") {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Host: dropped in the response", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "", "200 OK", "Content-Length: 0", "Host: inner.test")
		if got := received(t, r, x); header(got, "Host") != "-" {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Content-Type: default application/json in the response", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "x", "200 OK", "Content-Length: 1")
		if got := received(t, r, x); header(got, "Content-Type") != "application/json" {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("Content-Type: none of ours in a 304", func(t *testing.T) {
		x := client(t, "GET", "/")
		answered(t, x, "", "304 Not Modified", "Content-Length: 12", `ETag: "a"`)
		got := received(t, r, x)
		if header(got, "Content-Type") != "-" || header(got, "ETag") != `"a"` || header(got, "Content-Length") != "12" {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestRequestHeaders(t *testing.T) {
	const root = "Root=1-67891233-abcdef012345678912345678"
	static := func(name, v string) snapshot.Assign { return snapshot.Assign{Name: name, Value: snapshot.Lit(v)} }
	tests := []struct {
		name    string
		kind    snapshot.Kind
		in      snapshot.Integration
		headers []string
		want    map[string]string
	}{
		{name: "defaults", want: map[string]string{
			"Accept": "application/json", "User-Agent": "AmazonAPIGateway_abc123", "X-Amzn-Apigateway-Api-Id": "abc123",
			"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "80", "Forwarded": "-",
		}},
		{
			name: "several values stay apart", headers: []string{"X-A: 1", "X-A: 2", "Cookie: a=\"b c\";d", "Cookie: e"},
			want: map[string]string{"X-A": "1|2", "Cookie": "a=\"b c\";d|e"},
		},
		{
			name: "X-Forwarded-For grows", headers: []string{"X-Forwarded-For: 10.0.0.1, 10.0.0.2", "x-forwarded-for: 10.0.0.3"},
			want: map[string]string{"X-Forwarded-For": "10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.7"},
		},
		{
			name: "a well-formed trace id is kept", headers: []string{"x-amzn-trace-id: " + root + ";Parent=53995c3f42cd8ad8;Sampled=1"},
			want: map[string]string{"X-Amzn-Trace-Id": root + ";Parent=53995c3f42cd8ad8;Sampled=1"},
		},
		{
			name: "headers that Connection names do not leave", headers: []string{"X-Early: 1", "Connection: close, X-Early,x-late", "X-Late: 1", "X-Stays: 1"},
			want: map[string]string{"X-Early": "-", "X-Late": "-", "X-Stays": "1", "Connection": "-", "X-Forwarded-For": "192.0.2.7", "Host": "backend.test"},
		},
		{
			name: "a mapped header replaces the client's", headers: []string{"x-tenant: mallory", "X-TENANT: eve"},
			in:   snapshot.Integration{Headers: []snapshot.Assign{static("X-Tenant", "acme")}},
			want: map[string]string{"X-Tenant": "acme"},
		},
		{
			name: "a mapping that gives nothing still replaces", headers: []string{"x-user: admin"},
			in:   snapshot.Integration{Headers: []snapshot.Assign{{Name: "X-User", Value: snapshot.Text{{Source: snapshot.Context, Var: snapshot.CtxAPIKeyID}}}}},
			want: map[string]string{"X-User": "-"},
		},
		{
			name: "a mapped default is not added again", headers: []string{"Accept: text/css"},
			in: snapshot.Integration{Headers: []snapshot.Assign{
				static("accept", "text/plain"), static("user-agent", "me"),
				static("x-forwarded-for", "nobody"), static("X-Forwarded-Port", "1"),
			}},
			want: map[string]string{"Accept": "text/plain", "User-Agent": "me", "X-Forwarded-For": "nobody", "X-Forwarded-Port": "1"},
		},
		{
			name: "several mapped values", headers: []string{"X-A: 1", "X-A: 2"},
			in:   snapshot.Integration{Headers: []snapshot.Assign{{Name: "X-B", Multi: true, Value: snapshot.Text{{Source: snapshot.RequestMultiHeader, Name: "X-A"}}}}},
			want: map[string]string{"X-A": "1|2", "X-B": "1|2"},
		},
		{
			name: "hop-by-hop headers and Host cannot be mapped",
			in: snapshot.Integration{Headers: []snapshot.Assign{
				static("Connection", "x"), static("TE", "x"), static("Upgrade", "x"),
				static("Host", "evil.test"), static("Expect", "x"), static("X-Ok", "1"),
			}},
			want: map[string]string{"Connection": "-", "TE": "-", "Upgrade": "-", "Host": "backend.test", "Expect": "-", "X-Ok": "1"},
		},
		{
			name: "a mapped value cannot end its line", headers: []string{"X-A: 1"},
			in:   snapshot.Integration{Headers: []snapshot.Assign{static("X-B", "a\r\nX-C: 1\x00\x7f")}},
			want: map[string]string{"X-B": "aX-C: 1", "X-C": "-"},
		},
		{
			name: "HTTP takes only mapped headers and Content-Type", headers: []string{"X-A: 1", "Content-Type: text/plain", "Authorization: x", "Accept: text/css", "User-Agent: curl", "X-Forwarded-For: 10.0.0.1"},
			in: snapshot.Integration{Kind: snapshot.HTTPCustom, Headers: []snapshot.Assign{{Name: "X-B", Value: snapshot.Text{{Source: snapshot.RequestHeader, Name: "x-a"}}}}},
			want: map[string]string{
				"X-A": "-", "X-B": "1", "Content-Type": "text/plain", "Authorization": "-",
				"Accept": "application/json", "User-Agent": "AmazonAPIGateway_abc123", "X-Forwarded-For": "10.0.0.1, 192.0.2.7",
			},
		},
		{
			name: "HTTP API: nothing is renamed or added but Forwarded and the trace id", kind: snapshot.HTTP,
			headers: []string{"Content-MD5: x", "Content-Encoding: br", "Via: x", "Server: x", "Authorization: " + secret, "Keep-Alive: 1", "X-Amzn-Apigateway-Api-Id: x"},
			want: map[string]string{
				"Content-MD5": "x", "Content-Encoding": "br", "Via": "x", "Server": "x", "Authorization": secret, "Keep-Alive": "-",
				"Accept": "-", "User-Agent": "-", "X-Amzn-Apigateway-Api-Id": "-", "X-Forwarded-For": "-", "X-Forwarded-Proto": "-", "X-Forwarded-Port": "-",
				"Forwarded": "for=192.0.2.7;host=api.test;proto=http",
			},
		},
		{
			name: "HTTP API: X-Forwarded-* are folded", kind: snapshot.HTTP,
			headers: []string{"Forwarded: for=a", "X-Forwarded-For: 10.0.0.1, 2001:db8::1", "X-Forwarded-Host: shop.test:8443", "X-Forwarded-Proto: https", "X-Forwarded-Port: 8443"},
			want: map[string]string{
				"X-Forwarded-For": "-", "X-Forwarded-Host": "-", "X-Forwarded-Proto": "-", "X-Forwarded-Port": "-",
				"Forwarded": `for=a, for=10.0.0.1;host="shop.test:8443";proto=https, for="[2001:db8::1]", for=192.0.2.7;host=api.test;proto=http`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sent(t, route(tt.kind, tt.in), client(t, "GET", "/", tt.headers...))
			for name, want := range tt.want {
				if have := header(got, name); have != want {
					t.Errorf("%s: got %q, want %q", name, have, want)
				}
			}
			if t.Failed() {
				t.Log(got)
			}
		})
	}
}

func TestTraceID(t *testing.T) {
	const root = "Root=1-67891233-abcdef012345678912345678"
	r := route(snapshot.REST, snapshot.Integration{})
	for _, bad := range []string{
		"", "x", "Root=1-67891233-abcdef01234567891234567", "Root=2-67891233-abcdef012345678912345678", root + ";" + root,
		root + ";Parent=1", root + ";Sampled=2", "Parent=53995c3f42cd8ad8", root + ";A=" + strings.Repeat("a", 600),
	} {
		got := header(sent(t, r, client(t, "GET", "/", "X-Amzn-Trace-Id: "+bad)), "X-Amzn-Trace-Id")
		if got == bad || !strings.HasPrefix(got, "Root=1-6553f100-") || len(got) != len(root) {
			t.Errorf("%q: sent %q", bad, got)
		}
	}
	self := "Self=1-67891234-12456789abcdef012345678;" + root
	if got := header(sent(t, r, client(t, "GET", "/", "X-Amzn-Trace-Id: "+self)), "X-Amzn-Trace-Id"); got != self {
		t.Errorf("a load balancer's header became %q", got)
	}
}

func TestNamesKeepTheirCase(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{})
	x := client(t, "GET", "/", "x-lower: 1", "X-UPPER: 2", "content-type: a/b", "user-agent: u")
	got := sent(t, r, x)
	for _, want := range []string{"\r\nx-lower: 1", "\r\nX-UPPER: 2", "\r\ncontent-type: a/b", "\r\nuser-agent: u"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	answered(t, x, "", "200 OK", "Content-Length: 0", "x-lower: 1", "X-UPPER: 2")
	got = received(t, r, x)
	for _, want := range []string{"\r\nx-lower: 1", "\r\nX-UPPER: 2"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// TestUncheckedHeaders: a request that fasthttp has not read may hold anything.
func TestUncheckedHeaders(t *testing.T) {
	x := client(t, "GET", "/")
	x.Request = &fasthttp.Request{}
	x.Request.Header.DisableNormalizing()
	for name, value := range map[string]string{"X-Nul": "a\x00b", "X-Long-Enough": "0123456\x7f", "X Blank": "a", "X-Tab": "a\tb 0123456789", "X-Ok": "å"} {
		x.Request.Header.Add(name, value)
	}
	got := sent(t, route(snapshot.REST, snapshot.Integration{}), x)
	for name, want := range map[string]string{"X-Nul": "-", "X-Long-Enough": "-", "X Blank": "-", "X-Tab": "a\tb 0123456789", "X-Ok": "å"} {
		if have := header(got, name); have != want {
			t.Errorf("%s: got %q, want %q in\n%q", name, have, want, got)
		}
	}
}

func TestContentTypeIsTheClients(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{})
	for _, tt := range []struct{ name, line, want string }{{"its own", "content-type: a/b", "a/b"}, {"none", "X-A: 1", "-"}} {
		t.Run(tt.name, func(t *testing.T) {
			x := client(t, "POST", "/", tt.line, "Content-Length: 1")
			x.Request.SetBodyRaw([]byte("x"))
			if got := sent(t, r, x); header(got, "Content-Type") != tt.want {
				t.Errorf("got\n%s", got)
			}
		})
	}
}
