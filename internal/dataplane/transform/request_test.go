package transform_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

func TestTarget(t *testing.T) {
	lit := func(name, v string) snapshot.Assign { return snapshot.Assign{Name: name, Value: snapshot.Lit(v)} }
	param := snapshot.Text{{Name: "/a/"}, {Source: snapshot.RequestPath}, {Name: "/b"}}
	tests := []struct {
		name, target, want string
		in                 snapshot.Integration
	}{
		{"the path variable as it came", "/p%2Fq%C3%A4", "/a/p%2Fq%C3%A4/b", snapshot.Integration{Path: param}},
		{"a header in a path is encoded", "/x", "/v/a%2Fb", snapshot.Integration{Path: snapshot.Text{{Name: "/v/"}, {Source: snapshot.RequestHeader, Name: "X-Part"}}}},
		{"an empty path", "/x", "/", snapshot.Integration{Path: snapshot.Text{}}},
		{"the client's query raw", "/x?a=1&b=%20+;c;;d=|", "/base?a=1&b=%20+;c;;d=|", snapshot.Integration{QueryPasses: true}},
		{"no query for HTTP", "/x?a=1", "/base", snapshot.Integration{Kind: snapshot.HTTPCustom}},
		{"the URI's own query first", "/x?a=1", "/base?key=1&a=1", snapshot.Integration{Query: snapshot.Lit("key=1"), QueryPasses: true}},
		{"a mapped parameter replaces", "/x?a=1&%62=2;b=3&b&bb=4", "/base?a=1&bb=4&b=new%26", snapshot.Integration{
			QueryPasses: true,
			Queries:     []snapshot.Assign{{Name: "b", Value: snapshot.Text{{Source: snapshot.RequestHeader, Name: "x-new"}}}},
		}},
		{"a mapping that gives nothing replaces too", "/x?user=admin", "/base", snapshot.Integration{
			QueryPasses: true,
			Queries:     []snapshot.Assign{{Name: "user", Value: snapshot.Text{{Source: snapshot.RequestQuery, Name: "nobody"}}}},
		}},
		{"several mapped values", "/x?a=1&a=2%20", "/base?b=1&b=2%20", snapshot.Integration{
			Kind:    snapshot.HTTPCustom,
			Queries: []snapshot.Assign{{Name: "b", Multi: true, Value: snapshot.Text{{Source: snapshot.RequestMultiQuery, Name: "a"}}}},
		}},
		{"only mapped for HTTP, names encoded", "/x?a=1", "/base?o%20k=1", snapshot.Integration{Kind: snapshot.HTTPCustom, Queries: []snapshot.Assign{lit("o k", "1")}}},
		{"a fragment is no fragment", "/x#y?z", "/a/x%23y/b", snapshot.Integration{Path: param}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := client(t, "GET", tt.target, "X-Part: a/b", "X-New: new&")
			x.Captures.N = 1
			x.Captures.C[0].Start, x.Captures.C[0].End = 1, len(x.Path)
			got, _, _ := strings.Cut(sent(t, route(snapshot.REST, tt.in), x), "\r\n")
			if want := "GET " + tt.want + " HTTP/1.1"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestMethod(t *testing.T) {
	tests := []struct{ name, integration, client, want string }{
		{"the integration's", "PUT", "GET", "PUT"},
		{"the client's", "", "PATCH", "PATCH"},
		{"ANY", "ANY", "DELETE", "DELETE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sent(t, route(snapshot.REST, snapshot.Integration{Method: tt.integration}), client(t, tt.client, "/"))
			if !strings.HasPrefix(got, tt.want+" /base HTTP/1.1\r\n") {
				t.Errorf("got\n%s", got)
			}
		})
	}
	t.Run("no token", func(t *testing.T) {
		x := client(t, "GET", "/")
		x.Method = []byte("GET / HTTP/1.1\r\n")
		err := transform.Request(route(snapshot.REST, snapshot.Integration{})).Do(x)
		if fault.Of(err).Kind != fault.Malformed {
			t.Errorf("got %v", err)
		}
	})
}

// TestDotsInAMappedPath: what is mapped into a path must not lead out of it.
func TestDotsInAMappedPath(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{
		Path: snapshot.Text{{Name: "/users/"}, {Source: snapshot.RequestQuery, Name: "q"}, {Name: "/public"}},
	})
	for q, refused := range map[string]bool{
		"..": true, ".": true, "%2e%2e": true, "%2E.": true, "x%2F..": true, "..%5c": true, "7": false, "a..b": false, "...": false,
	} {
		x := client(t, "GET", "/?q="+q)
		x.Route = r
		err := transform.Request(r).Do(x)
		if refused && (err == nil || fault.Of(err).Kind != fault.BadRequestParameters) || !refused && err != nil {
			t.Errorf("q=%s: %v", q, err)
		}
	}
}

func TestReservedHeaders(t *testing.T) {
	for _, name := range []string{"Content-Length", "transfer-encoding", "X-Amzn-Trace-Id", "x-amzn-apigateway-api-id"} {
		t.Run(name, func(t *testing.T) {
			r := route(snapshot.REST, snapshot.Integration{Headers: []snapshot.Assign{{Name: name, Value: snapshot.Lit("1")}}})
			x := client(t, "GET", "/")
			x.Route = r
			err := transform.Request(r).Do(x)
			if err == nil || fault.Of(err).Kind != fault.APIConfigurationError {
				t.Errorf("got %v, want API_CONFIGURATION_ERROR", err)
			}
		})
	}
}

func TestNoStep(t *testing.T) {
	mock := route(snapshot.REST, snapshot.Integration{Kind: snapshot.Mock})
	if transform.Request(mock) != nil {
		t.Error("a mock has no backend, but got a request step")
	}
	none := &snapshot.Route{Stage: mock.Stage}
	if transform.Request(none) != nil || transform.Response(none) != nil {
		t.Error("a route without integration got steps")
	}
}

func TestBody(t *testing.T) {
	r := route(snapshot.REST, snapshot.Integration{})
	big := strings.Repeat("x", exchange.MaxBody)
	t.Run("a stream with its length", func(t *testing.T) {
		x := client(t, "POST", "/", "Content-Length: 5")
		x.Request.SetBodyStream(iotest.OneByteReader(strings.NewReader("hello")), 5)
		got := sent(t, r, x)
		if header(got, "Content-Length") != "5" || !strings.HasSuffix(got, "\r\n\r\nhello") {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("a stream of unknown length", func(t *testing.T) {
		x := client(t, "POST", "/", "Transfer-Encoding: chunked")
		x.Request.SetBodyStream(strings.NewReader("hello"), -1)
		got := sent(t, r, x)
		if header(got, "Transfer-Encoding") != "chunked" || !strings.HasSuffix(got, "\r\n\r\n5\r\nhello\r\n0\r\n\r\n") {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("a stream that was read already", func(t *testing.T) {
		x := client(t, "POST", "/", "Transfer-Encoding: chunked")
		x.Request.SetBodyStream(strings.NewReader("hello"), -1)
		if _, err := x.Body(); err != nil {
			t.Fatal(err)
		}
		got := sent(t, r, x)
		if header(got, "Content-Length") != "5" || header(got, "Transfer-Encoding") != "-" || !strings.HasSuffix(got, "\r\n\r\nhello") {
			t.Errorf("got\n%s", got)
		}
	})
	t.Run("the client's stream is not closed", func(t *testing.T) {
		body := &closeCounter{Reader: strings.NewReader("hello")}
		x := client(t, "POST", "/", "Content-Length: 5")
		x.Request.SetBodyStream(body, 5)
		sent(t, r, x)
		if body.closed != 0 {
			t.Error("it was closed")
		}
	})
	t.Run("exactly 10 MB", func(t *testing.T) {
		if err := streamed(t, r, big); err != nil {
			t.Error(err)
		}
	})
	t.Run("a byte over 10 MB", func(t *testing.T) {
		err := streamed(t, r, big+"x")
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.RequestTooLarge {
			t.Errorf("got %v, want REQUEST_TOO_LARGE", err)
		}
	})
	t.Run("HTTP: a body gets a type", func(t *testing.T) {
		x := client(t, "POST", "/", "Content-Length: 2")
		x.Request.SetBodyRaw([]byte("{}"))
		got := sent(t, route(snapshot.REST, snapshot.Integration{Kind: snapshot.HTTPCustom}), x)
		if header(got, "Content-Type") != "application/json" {
			t.Errorf("got\n%s", got)
		}
	})
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

// streamed sends a chunked body and gives what writing it ended with.
func streamed(t *testing.T, r *snapshot.Route, body string) error {
	t.Helper()
	x := client(t, "POST", "/", "Transfer-Encoding: chunked")
	x.Request.SetBodyStream(strings.NewReader(body), -1)
	x.Route = r
	if err := transform.Request(r).Do(x); err != nil {
		return err
	}
	return x.Backend.Request.Write(bufio.NewWriter(&bytes.Buffer{}))
}
