package transform_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// FuzzRequest puts arbitrary bytes wherever a client or a mapping can: what is sent must parse back to exactly one
// request with this method, host and these headers of the gateway.
func FuzzRequest(f *testing.F) {
	f.Add("/a", "a=1", "X-A", "1", "v", true)
	f.Add("/a b\r\nX: 1", "q\x00#?", "Connection", "x-a, host", "\r\nHost: evil", false)
	f.Add("", "", "Transfer-Encoding", "chunked", "", true)
	f.Add("//x/../%", ";;&", "X-Forwarded-For", "a\r\n\r\nGET / HTTP/1.1", "\x7f", false)
	f.Fuzz(func(t *testing.T, path, query, name, value, mapped string, read bool) {
		for _, kind := range []snapshot.Kind{snapshot.REST, snapshot.HTTP} {
			x := exchangeOf(fuzzed(t, path, query, name, value, read))
			x.Method = []byte("GET")
			x.Path = []byte(path)
			x.Captures.N = 1
			x.Captures.C[0].Start, x.Captures.C[0].End = 0, len(x.Path)
			r := route(kind, snapshot.Integration{
				Path:        snapshot.Text{{Name: "/p/"}, {Source: snapshot.RequestPath}, {Source: snapshot.RequestHeader, Name: name}},
				QueryPasses: true,
				Query:       snapshot.Text{{Name: "own="}, {Source: snapshot.RequestHeader, Name: name}},
				Headers:     []snapshot.Assign{{Name: "X-Mapped", Value: snapshot.Text{{Name: mapped}, {Source: snapshot.RequestHeader, Name: name}}}},
				Queries:     []snapshot.Assign{{Name: "m", Value: snapshot.Text{{Source: snapshot.RequestQuery, Name: "a"}}}},
			})
			x.Route, x.Stage = r, r.Stage
			if err := transform.Request(r).Do(x); err != nil {
				if fault.Of(err).Kind == fault.BadRequestParameters {
					continue // dots in the path
				}
				t.Fatal(err)
			}
			oneRequest(t, kind, wire(t, x))
		}
	})
}

// fuzzed is a request as another server might hand it over, or, with read, as fasthttp would have read it.
func fuzzed(t *testing.T, path, query, name, value string, read bool) *fasthttp.Request {
	r := &fasthttp.Request{}
	r.Header.DisableNormalizing()
	if read {
		head := "GET /" + path + "?" + query + " HTTP/1.1\r\nHost: api.test\r\n" + name + ": " + value + "\r\n\r\n"
		if r.Header.Read(bufio.NewReader(strings.NewReader(head))) != nil {
			t.Skip("fasthttp refuses this request, so it never comes here")
		}
		return r
	}
	r.Header.SetRequestURI("/" + path + "?" + query)
	r.Header.SetHost("api.test")
	r.Header.Add(name, value)
	r.Header.Add("X-Plain", value)
	return r
}

func oneRequest(t *testing.T, kind snapshot.Kind, got string) {
	t.Helper()
	line, rest, _ := strings.Cut(got, "\r\n") // a path passes with broken escapes, which net/http refuses
	in := bufio.NewReader(strings.NewReader(strings.ReplaceAll(line, "%", "-") + "\r\n" + rest))
	r, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("%v in\n%q", err, got)
	}
	if rest, _ := io.ReadAll(in); len(rest) > 0 {
		t.Fatalf("a second message %q in\n%q", rest, got)
	}
	if r.Method != "GET" || r.Host != "backend.test" || !strings.HasPrefix(r.RequestURI, "/p/") {
		t.Errorf("%s %s for %s in\n%q", r.Method, r.RequestURI, r.Host, got)
	}
	once := []string{"X-Amzn-Trace-Id", "Forwarded"}
	if kind == snapshot.REST {
		once = []string{"X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Amzn-Apigateway-Api-Id"}
	}
	for _, name := range once {
		if n := len(r.Header.Values(name)); n != 1 {
			t.Errorf("%d of %s in\n%q", n, name, got)
		}
	}
	for _, name := range []string{"Transfer-Encoding", "Connection", "Upgrade", "Te"} {
		if r.Header.Get(name) != "" {
			t.Errorf("%s in\n%q", name, got)
		}
	}
	own := &fasthttp.Request{}
	if err := own.Read(bufio.NewReader(bytes.NewReader([]byte(got)))); err != nil {
		t.Errorf("fasthttp: %v in\n%q", err, got)
	}
}
