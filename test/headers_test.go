package test_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/gatewaytest"
)

// wire is a backend that remembers the last request's bytes and gives the answer that it was told.
type wire struct {
	*rawBackend
	mu           sync.Mutex
	head, answer string
}

func newWire(t testing.TB) *wire {
	w := &wire{}
	w.rawBackend = newRaw(t, func(r *rawRequest) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.head = r.head
		r.say(w.answer)
		return true
	})
	w.answers()
	return w
}

// answers sets the next answers: 200 with these headers.
func (w *wire) answers(headers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + lines(headers) + "\r\nok"
}

// got gives the request line and the headers, sorted, but for those that the gateway makes anew each time.
func (w *wire) got() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := strings.Split(strings.TrimSuffix(w.head, "\r\n\r\n"), "\r\n")
	all = slices.DeleteFunc(all, func(l string) bool {
		return strings.HasPrefix(l, "X-Amzn-Trace-Id: Root=1-") || strings.HasPrefix(l, "X-Forwarded-Port: ")
	})
	slices.Sort(all[1:])
	return all
}

func lines(headers []string) string {
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String()
}

// always is what a REST API's backend gets from a client that sends nothing but Host.
func always(backend string, more ...string) []string {
	out := append([]string{
		"Accept: application/json", "Host: " + backend, "User-Agent: AmazonAPIGateway_rest",
		"X-Amzn-Apigateway-Api-Id: rest", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http",
	}, more...)
	return out
}

// TestRequestHeaders is AWS's table of header treatment, HTTP_PROXY of a REST API. An empty want is a dropped header.
func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	b := newWire(t)
	g := newGateway(t, "", fmt.Sprintf(`apis: {rest: {public: true, routes: {"GET /{p+}": "http://%s/{p}"}}}`, b.addr()))
	for _, tc := range []struct {
		name string
		send []string
		want []string
		not  string // the name of a header of always that must not be there
	}{
		{"none", nil, nil, ""},
		{"Accept", []string{"Accept: text/html"}, []string{"Accept: text/html"}, "Accept"},
		{
			"those that pass",
			[]string{"Accept-Charset: a", "Accept-Encoding: gzip", "Age: 1", "Pragma: p", "Range: bytes=0-1", "Referer: r", "Warn: w", "Date: d", "Cookie: a=b; c=d", "X-Own: x", "x-api-key: k", "Origin: o"},
			[]string{"Accept-Charset: a", "Accept-Encoding: gzip", "Age: 1", "Pragma: p", "Range: bytes=0-1", "Referer: r", "Warn: w", "Date: d", "Cookie: a=b; c=d", "X-Own: x", "x-api-key: k", "Origin: o"},
			"",
		},
		{"Authorization", []string{"Authorization: Bearer t"}, []string{"Authorization: Bearer t"}, ""},
		{"signed", []string{"Authorization: AWS4-HMAC-SHA256 Credential=x"}, nil, ""},
		{"Connection", []string{"Connection: keep-alive"}, nil, ""},
		{"named by Connection", []string{"Connection: x-hop", "X-Hop: 1", "X-Stay: 1"}, []string{"X-Stay: 1"}, ""},
		{"those that are dropped", []string{"Content-Encoding: gzip", "Content-MD5: m", "Max-Forwards: 3", "TE: trailers", "Trailer: T", "Upgrade: h2c", "Server: s", "Via: v", "WWW-Authenticate: w", "Proxy-Authenticate: p", "Proxy-Authorization: p", "Keep-Alive: timeout=5"}, nil, ""},
		{"User-Agent", []string{"User-Agent: me"}, []string{"User-Agent: me"}, "User-Agent"},
		{"Content-Type", []string{"Content-Type: text/x"}, []string{"Content-Type: text/x"}, ""},
		{"X-Forwarded-For", []string{"X-Forwarded-For: 192.0.2.1"}, []string{"X-Forwarded-For: 192.0.2.1, 127.0.0.1"}, "X-Forwarded-For"},
		{"X-Forwarded-Proto", []string{"X-Forwarded-Proto: gopher"}, nil, ""},
		{"X-Amzn-Apigateway-Api-Id", []string{"X-Amzn-Apigateway-Api-Id: forged"}, nil, ""},
		{"case and order of many", []string{"x-LOWER-up: 1", "X-Lower-Up: 2", "x-lower-up: 3"}, []string{"x-LOWER-up: 1", "X-Lower-Up: 2", "x-lower-up: 3"}, ""},
		{"empty", []string{"X-Empty: "}, []string{"X-Empty: "}, ""},
		{"bytes beyond ASCII", []string{"X-Bytes: \xc3\xa4"}, []string{"X-Bytes: \xc3\xa4"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := g.Dial()
			c.Say("GET /a HTTP/1.1\r\nHost: h\r\n" + lines(tc.send) + "\r\n")
			if a, ok := c.Hear("GET"); !ok || a.Status != 200 {
				t.Fatalf("%v %+v", ok, a)
			}
			want := slices.DeleteFunc(always(b.addr(), tc.want...), func(l string) bool {
				return strings.HasPrefix(l, tc.not+": ") && !slices.Contains(tc.want, l)
			})
			slices.Sort(want)
			if diff := cmp.Diff(append([]string{"GET /a HTTP/1.1"}, want...), b.got()); diff != "" {
				t.Errorf("the backend (-want +got):\n%s", diff)
			}
		})
	}
}

// TestResponseHeaders is the same table's other side.
func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	b := newWire(t)
	g := newGateway(t, "", fmt.Sprintf(`apis: {rest: {public: true, routes: {"GET /{p+}": "http://%s/{p}"}}}`, b.addr()))
	for _, tc := range []struct {
		name       string
		send, want []string
	}{
		{"none", nil, []string{"Content-Type: application/json"}},
		{"Content-Type", []string{"Content-Type: text/x; charset=y"}, []string{"Content-Type: text/x; charset=y"}},
		{
			"those that pass",
			[]string{"Accept: a", "Cache-Control: no-store", "Content-Encoding: gzip", "ETag: \"e\"", "Location: /x", "X-Own: x", "Vary: v", "Access-Control-Allow-Origin: *"},
			[]string{"Accept: a", "Cache-Control: no-store", "Content-Encoding: gzip", "Content-Type: application/json", "ETag: \"e\"", "Location: /x", "X-Own: x", "Vary: v", "Access-Control-Allow-Origin: *"},
		},
		{
			"those that are renamed",
			[]string{"Authorization: a", "Content-MD5: m", "Max-Forwards: 1", "Server: s", "User-Agent: u", "WWW-Authenticate: w", "Date: d"},
			[]string{"Content-Type: application/json", "x-amzn-Remapped-Authorization: a", "x-amzn-Remapped-Content-MD5: m", "x-amzn-Remapped-Max-Forwards: 1", "x-amzn-Remapped-Server: s", "x-amzn-Remapped-User-Agent: u", "x-amzn-Remapped-WWW-Authenticate: w", "x-amzn-Remapped-Date: d"},
		},
		{"those that are dropped", []string{"Host: h", "Expect: e", "Proxy-Authenticate: p", "TE: t", "Trailer: T", "Upgrade: u", "Via: v", "Keep-Alive: timeout=5"}, []string{"Content-Type: application/json"}},
		{"several Set-Cookie", []string{"Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "Set-Cookie: a=3"}, []string{"Content-Type: application/json", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "Set-Cookie: a=3"}},
		{"case and repetition", []string{"x-LOWER-up: 1", "X-Lower-Up: 2"}, []string{"Content-Type: application/json", "x-LOWER-up: 1", "X-Lower-Up: 2"}},
		{"the gateway's ids", []string{"x-amzn-RequestId: forged", "x-amz-apigw-id: forged"}, []string{"Content-Type: application/json", "x-amzn-Remapped-x-amzn-RequestId: forged", "x-amzn-Remapped-x-amz-apigw-id: forged"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.answers(tc.send...)
			got := rawHeaders(t, g, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the client (-want +got):\n%s", diff)
			}
		})
	}
}

// rawHeaders gives the headers of an answer as they stand on the wire, sorted, but for those that every answer has.
func rawHeaders(t *testing.T, g *gatewaytest.Gateway, request string) []string {
	t.Helper()
	c := g.Dial()
	c.Say(request)
	var raw strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		raw.Write(buf[:n])
		if err != nil {
			break
		}
	}
	head, _, _ := strings.Cut(raw.String(), "\r\n\r\n")
	all := strings.Split(head, "\r\n")[1:]
	all = slices.DeleteFunc(all, func(l string) bool {
		name, _, _ := strings.Cut(l, ":")
		return slices.Contains([]string{"Date", "Content-Length", "Connection", "x-amzn-RequestId", "x-amz-apigw-id"}, name)
	})
	slices.Sort(all)
	return all
}

// TestHTTPAPIHeaders: an HTTP API folds what was forwarded into one header and renames nothing.
func TestHTTPAPIHeaders(t *testing.T) {
	t.Parallel()
	b := newWire(t)
	g := newGateway(t, "", fmt.Sprintf(`apis: {two: {kind: http, public: true, routes: {"GET /{p+}": "http://%s/{p}"}}}`, b.addr()))
	b.answers("Server: s", "Via: v", "Content-Type: text/x")
	got := rawHeaders(t, g, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.1\r\nUser-Agent: me\r\n\r\n")
	got = slices.DeleteFunc(got, func(l string) bool { return strings.HasPrefix(l, "apigw-requestid: ") })
	if diff := cmp.Diff([]string{"Content-Type: text/x", "Server: s", "Via: v"}, got); diff != "" {
		t.Errorf("the client (-want +got):\n%s", diff)
	}
	want := []string{"GET /a HTTP/1.1", "Forwarded: for=192.0.2.1, for=127.0.0.1;host=h;proto=http", "Host: " + b.addr(), "User-Agent: me"}
	if diff := cmp.Diff(want, b.got()); diff != "" {
		t.Errorf("the backend (-want +got):\n%s", diff)
	}
}

// TestPathsAndQueries: what the client encoded stays as it is.
func TestPathsAndQueries(t *testing.T) {
	t.Parallel()
	b := newWire(t)
	g := newGateway(t, "", fmt.Sprintf(`
apis:
  rest: {public: true, routes: {"GET /one/{id}": "http://%[1]s/x/{id}/y", "GET /all/{p+}": "http://%[1]s/{p}", "GET /fixed": "http://%[1]s/f?a=1"}}
`, b.addr()))
	for _, tc := range []struct{ send, want string }{
		{"/one/a%2Fb", "/x/a%2Fb/y"},
		{"/one/a%20b+c", "/x/a%20b+c/y"},
		{"/one/%C3%A4", "/x/%C3%A4/y"},
		{"/one/a%3Fb%23c", "/x/a%3Fb%23c/y"},
		{"/one/a;b=c,d:e@f", "/x/a;b=c,d:e@f/y"},
		{"/all/a/b%2Fc/d", "/a/b%2Fc/d"},
		{"/all/a//b", "/a//b"},
		{"/one/1?a=b+c&d=e%20f&g=%26&a=2", "/x/1/y?a=b+c&d=e%20f&g=%26&a=2"},
		{"/one/1?", "/x/1/y"},
		{"/one/1?novalue&empty=&=noname", "/x/1/y?novalue&empty=&=noname"},
		{"/one/1?a=http://h/?x", "/x/1/y?a=http://h/?x"},
		{"/fixed?b=2", "/f?a=1&b=2"},
		{"/fixed", "/f?a=1"},
		{"/one/1/", "/x/1/y"},
	} {
		t.Run(tc.send, func(t *testing.T) {
			c := g.Dial()
			c.Say("GET " + tc.send + " HTTP/1.1\r\nHost: h\r\n\r\n")
			a, ok := c.Hear("GET")
			if want := "GET " + tc.want + " HTTP/1.1"; !ok || a.Status != 200 || b.got()[0] != want {
				t.Errorf("%v %d: the backend got %q, not %q", ok, a.Status, b.got()[0], want)
			}
		})
	}
}
