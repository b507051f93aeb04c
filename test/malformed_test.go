package test_test

import (
	"strings"
	"testing"

	"gatehouse/internal/gatewaytest"
)

// hidden is sent behind every malformed request: whoever reads that one in another way than the gateway would serve it.
const hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"

const (
	get  = "GET /a HTTP/1.1\r\nHost: h\r\n"
	post = "POST /a HTTP/1.1\r\nHost: h\r\n"
)

func chunked(body string) string { return post + "Transfer-Encoding: chunked\r\n\r\n" + body }

// malformedHeads end at the header: nothing at all may reach the backend.
var malformedHeads = map[string]string{
	"length then encoding":         post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"encoding then length":         post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"length 0 and encoding":        post + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"two different lengths":        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
	"two equal lengths":            post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	"list of lengths":              post + "Content-Length: 5, 5\r\n\r\nhello",
	"negative length":              post + "Content-Length: -5\r\n\r\nhello",
	"plus length":                  post + "Content-Length: +5\r\n\r\nhello",
	"hex length":                   post + "Content-Length: 0x5\r\n\r\nhello",
	"empty length":                 post + "Content-Length: \r\n\r\n",
	"length with a blank":          post + "Content-Length: 5 0\r\n\r\nhello",
	"length with an underscore":    post + "Content-Length: 0_5\r\n\r\nhello",
	"length over 64 bits":          post + "Content-Length: 18446744073709551621\r\n\r\nhello",
	"encoding gzip":                post + "Transfer-Encoding: gzip\r\n\r\n",
	"encoding gzip, chunked":       post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"encoding chunked, gzip":       post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
	"encoding identity":            post + "Transfer-Encoding: identity\r\n\r\n",
	"encoding chunked, identity":   post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	"encoding twice in a list":     post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	"encoding in two headers":      post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
	"encoding twice":               post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"encoding xchunked":            post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"encoding with a vertical tab": post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
	"encoding with a parameter":    post + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
	"encoding in quotes":           post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
	"encoding empty":               post + "Transfer-Encoding: \r\n\r\n",
	"encoding in HTTP/1.0":         "POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"encoding name with a blank":   post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"encoding folded":              post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
	"bare LF behind a header":      get + "A: b\nC: d\r\n\r\n",
	"bare LF behind the length":    post + "Content-Length: 5\nX: y\r\n\r\nhello",
	"bare LF before the end":       get + "A: b\n\r\n",
	"bare LF as the end":           get + "A: b\r\n\n",
	"bare LF everywhere":           "GET /a HTTP/1.1\nHost: h\n\n",
	"blank before the colon":       get + "A : b\r\n\r\n",
	"tab before the colon":         get + "A\t: b\r\n\r\n",
	"first header after a blank":   "GET /a HTTP/1.1\r\n Host: h\r\n\r\n",
	"folded header":                get + "A: b\r\n c\r\n\r\n",
	"folded with a tab":            get + "A: b\r\n\tc\r\n\r\n",
	"NUL in a value":               get + "A: b\x00c\r\n\r\n",
	"NUL in a name":                get + "A\x00: b\r\n\r\n",
	"bare CR in a value":           get + "A: b\rc\r\n\r\n",
	"bare CR in a name":            get + "A\rB: c\r\n\r\n",
	"CR CR LF":                     get + "A: b\r\r\n\r\n",
	"control character in a value": get + "A: b\x01c\r\n\r\n",
	"DEL in a value":               get + "A: b\x7fc\r\n\r\n",
	"blank in a name":              get + "A B: c\r\n\r\n",
	"tab in a name":                get + "A\tB: c\r\n\r\n",
	"bracket in a name":            get + "A(B): c\r\n\r\n",
	"at in a name":                 get + "A@B: c\r\n\r\n",
	"slash in a name":              get + "A/B: c\r\n\r\n",
	"letters beyond ASCII":         get + "\xc3\x84: c\r\n\r\n",
	"no name":                      get + ": c\r\n\r\n",
	"no colon":                     get + "Abc\r\n\r\n",
	"no Host":                      "GET /a HTTP/1.1\r\nA: b\r\n\r\n",
	"empty Host":                   "GET /a HTTP/1.1\r\nHost: \r\n\r\n",
	"two Hosts":                    get + "Host: other\r\n\r\n",
	"two equal Hosts":              get + "Host: h\r\n\r\n",
	"Host with a blank":            "GET /a HTTP/1.1\r\nHost: h i\r\n\r\n",
	"Host with a slash":            "GET /a HTTP/1.1\r\nHost: h/i\r\n\r\n",
	"Host with a user":             "GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n",
	"method with a bracket":        "G<T /a HTTP/1.1\r\nHost: h\r\n\r\n",
	"method after a blank":         " GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
	"no method":                    "/a HTTP/1.1\r\nHost: h\r\n\r\n",
	"method beyond ASCII":          "G\xc3\x84T /a HTTP/1.1\r\nHost: h\r\n\r\n",
	"HTTP/2.0":                     "GET /a HTTP/2.0\r\nHost: h\r\n\r\n",
	"HTTP/2 preface":               "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"HTTP/1.2":                     "GET /a HTTP/1.2\r\nHost: h\r\n\r\n",
	"HTTP/1":                       "GET /a HTTP/1\r\nHost: h\r\n\r\n",
	"HTTP/1.10":                    "GET /a HTTP/1.10\r\nHost: h\r\n\r\n",
	"http/1.1":                     "GET /a http/1.1\r\nHost: h\r\n\r\n",
	"version with a blank behind":  "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n",
	"no version":                   "GET /a\r\nHost: h\r\n\r\n",
	"blank in the URI":             "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
	"two blanks before the URI":    "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n",
	"two blanks behind the URI":    "GET /a  HTTP/1.1\r\nHost: h\r\n\r\n",
	"tabs in the request line":     "GET\t/a\tHTTP/1.1\r\nHost: h\r\n\r\n",
	"NUL in the URI":               "GET /a\x00b HTTP/1.1\r\nHost: h\r\n\r\n",
	"control character in the URI": "GET /a\x01b HTTP/1.1\r\nHost: h\r\n\r\n",
	"bare CR in the URI":           "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n",
	"DEL in the URI":               "GET /a\x7fb HTTP/1.1\r\nHost: h\r\n\r\n",
	"no URI":                       "GET HTTP/1.1\r\nHost: h\r\n\r\n",
	"URI without a slash":          "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
	"TLS to a plain port":          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
	"garbage":                      "\x00\xff\xfe garbage\r\n\r\n",
}

// malformedBodies break inside the body: the backend may have begun to read, and must not get a whole request.
var malformedBodies = map[string]string{
	"chunk size is no number":     chunked("z\r\na\r\n0\r\n\r\n"),
	"chunk size is empty":         chunked("\r\na\r\n0\r\n\r\n"),
	"chunk size is negative":      chunked("-1\r\na\r\n0\r\n\r\n"),
	"chunk size with a plus":      chunked("+1\r\na\r\n0\r\n\r\n"),
	"chunk size with 0x":          chunked("0x1\r\na\r\n0\r\n\r\n"),
	"chunk size after a blank":    chunked(" 1\r\na\r\n0\r\n\r\n"),
	"chunk size overflows":        chunked("10000000000000001\r\na\r\n0\r\n\r\n"),
	"chunk size is -1 in 64 bits": chunked("ffffffffffffffff\r\na\r\n0\r\n\r\n"),
	"chunk size ends in LF":       chunked("1\na\r\n0\r\n\r\n"),
	"chunk size ends in CR":       chunked("1\ra\r\n0\r\n\r\n"),
	"chunk without its CRLF":      chunked("1\r\na0\r\n\r\n"),
	"chunk ends in LF":            chunked("1\r\na\n0\r\n\r\n"),
	"chunk longer than its size":  chunked("1\r\nab\r\n0\r\n\r\n"),
	"last chunk ends in LF":       chunked("1\r\na\r\n0\n\r\n"),
	"extension with a bare LF":    chunked("1;x\ny\r\na\r\n0\r\n\r\n"),
	"extension with a bare CR":    chunked("1;x\ry\r\na\r\n0\r\n\r\n"),
	"last chunk is missing":       chunked("1\r\na\r\n"),
	"trailer without a colon":     chunked("1\r\na\r\n0\r\nAbc\r\n\r\n"),
}

func publicAPI(backend string) string {
	return `apis: {a: {public: true, routes: {"ANY /{p+}": "` + backend + `/{p}", "ANY /": "` + backend + `/"}}}`
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", publicAPI(b.URL))
	for _, all := range []map[string]string{malformedHeads, malformedBodies} {
		for name, raw := range all {
			t.Run(name, func(t *testing.T) {
				before := metric(t, g, "gatehouse_malformed_requests_total")
				refuses(t, g, raw)
				if got := metric(t, g, "gatehouse_malformed_requests_total"); got != before+1 {
					t.Errorf("gatehouse_malformed_requests_total went from %v to %v", before, got)
				}
				for _, s := range b.take() {
					t.Errorf("the backend got %q with body %q", s.line, s.body)
				}
			})
		}
	}
}

// refuses sends a malformed request with another behind it, and wants one 400 and the connection's end.
func refuses(t *testing.T, g *gatewaytest.Gateway, raw string) {
	t.Helper()
	c := g.Dial()
	defer c.Close()
	c.Say(raw + hidden)
	a, ok := c.Hear("GET")
	switch {
	case !ok:
		t.Error("no answer")
		return
	case a.Status != 400:
		t.Errorf("status %d: %s", a.Status, a.Body)
	case !strings.Contains(a.Body, `"message":"Bad Request"`):
		t.Errorf("body %s", a.Body)
	}
	if !c.Closed() {
		t.Error("the connection is still open, or more came")
	}
}

// TestUnusual are requests that are well-formed although few clients send them.
func TestUnusual(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", publicAPI(b.URL)+"\n"+`domains: {"*": {/: a/default}}`)
	for _, tc := range []struct {
		name, raw string
		status    int
		reached   string
	}{
		{"lower-case method is another method", "get /a HTTP/1.1\r\nHost: h\r\n\r\n", 200, "get /a"},
		{"unknown method", "BREW /a HTTP/1.1\r\nHost: h\r\n\r\n", 200, "BREW /a"},
		{"absolute target", "GET http://h/a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /a?x=1"},
		{"absolute target without a path", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /"},
		{"empty lines before", "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /a"},
		{"no blank behind the colon", "GET /a HTTP/1.1\r\nHost:h\r\nA:b\r\n\r\n", 200, "GET /a"},
		{"blanks around a value", "GET /a HTTP/1.1\r\nHost: \t h \t\r\n\r\n", 200, "GET /a"},
		{"empty value", get + "A:\r\n\r\n", 200, "GET /a"},
		{"bytes beyond ASCII in a value", get + "A: \xc3\xa4\r\n\r\n", 200, "GET /a"},
		{"chunk extension", chunked("1;x=y\r\na\r\n0\r\n\r\n"), 200, "POST /a"},
		{"trailers", chunked("1\r\na\r\n0\r\nA: b\r\n\r\n"), 200, "POST /a"},
		{"upper-case chunk size", chunked("A\r\n0123456789\r\n0\r\n\r\n"), 200, "POST /a"},
		{"leading zeros", chunked("0001\r\na\r\n000\r\n\r\n"), 200, "POST /a"},
		{"CHUNKED", post + "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200, "POST /a"},
		{"body of a GET", get + "Content-Length: 1\r\n\r\na", 200, "GET /a"},
		// RFC 9112, 2.2 allows to end the request line with a bare LF; what the headers may not have is refused.
		{"bare LF in the request line", "GET /a HTTP/1.1\nHost: h\r\n\r\n", 200, "GET /a"},
		// What is dropped does no harm: neither extensions nor trailers go on.
		{"NUL in an extension", chunked("1;x\x00y\r\na\r\n0\r\n\r\n"), 200, "POST /a"},
		{"trailer with a blank in its name", chunked("1\r\na\r\n0\r\nA : b\r\n\r\n"), 200, "POST /a"},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
		{"CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 400, ""},
		{"dots", "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
		{"encoded dots", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
		{"dots and an encoded slash", "GET /a/..%2fb HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := g.Dial()
			defer c.Close()
			c.Say(tc.raw)
			a, ok := c.Hear("GET")
			if !ok || a.Status != tc.status {
				t.Errorf("%v %+v", ok, a)
			}
			got := ""
			for _, s := range b.take() {
				got += s.line
			}
			if got != tc.reached {
				t.Errorf("the backend got %q, not %q", got, tc.reached)
			}
		})
	}
}

// TestTrailersAreNoHeaders: what stands behind a body must not change what stood before it.
func TestTrailersAreNoHeaders(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", publicAPI(b.URL))
	c := g.Dial()
	c.Say(chunked("1\r\na\r\n0\r\nContent-Length: 50\r\nX-Api-Key: k\r\nHost: other\r\n\r\n") + get + "\r\n")
	for range 2 {
		if a, ok := c.Hear("GET"); !ok || a.Status != 200 && a.Status != 400 {
			t.Fatalf("%v %+v", ok, a)
		} else if a.Status == 400 {
			return // refused altogether is as good
		}
	}
	for _, s := range b.take() {
		if s.header.Get("X-Api-Key") != "" || s.header.Get("Content-Length") == "50" {
			t.Errorf("%+v", s)
		}
	}
}
