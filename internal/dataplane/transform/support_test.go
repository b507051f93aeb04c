package transform_test

import (
	"bufio"
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/snapshot"
)

// route makes a route of an API of the kind with the integration, which gets a host and path unless it has them.
func route(kind snapshot.Kind, in snapshot.Integration) *snapshot.Route {
	if in.Host == "" {
		in.Host = "backend.test"
	}
	if in.Path == nil {
		in.Path = snapshot.Lit("/base")
	}
	api := &snapshot.API{ID: "abc123", Kind: kind}
	return &snapshot.Route{
		Key: "ANY /", Method: "ANY", Params: []string{"id"},
		Stage: &snapshot.Stage{ID: "abc123/v1", Name: "v1", API: api}, Integration: &in,
	}
}

// client makes the exchange of a request as fasthttp reads it. Lines are headers; the body is empty.
func client(t testing.TB, method, target string, lines ...string) *exchange.Exchange {
	t.Helper()
	r := &fasthttp.Request{}
	r.Header.DisableNormalizing()
	head := method + " " + target + " HTTP/1.1\r\nHost: api.test\r\n"
	for _, l := range lines {
		head += l + "\r\n"
	}
	if err := r.Header.Read(bufio.NewReader(strings.NewReader(head + "\r\n"))); err != nil {
		t.Fatalf("read the client's request: %v", err)
	}
	return exchangeOf(r)
}

func exchangeOf(r *fasthttp.Request) *exchange.Exchange {
	x := &exchange.Exchange{}
	x.Reset()
	x.Request, x.Response = r, &fasthttp.Response{}
	x.ClientIP = netip.MustParseAddr("192.0.2.7")
	x.Started = time.Unix(1_700_000_000, 0)
	x.Method = r.Header.Method()
	x.Path = r.Header.RequestURI()
	if i := bytes.IndexByte(x.Path, '?'); i >= 0 {
		x.Path = x.Path[:i]
	}
	x.NewIDs()
	return x
}

// sent runs the request step and gives the bytes for the backend.
func sent(t testing.TB, r *snapshot.Route, x *exchange.Exchange) string {
	t.Helper()
	x.Route, x.Stage = r, r.Stage
	if err := transform.Request(r).Do(x); err != nil {
		t.Fatalf("Do: %v", err)
	}
	return wire(t, x)
}

func wire(t testing.TB, x *exchange.Exchange) string {
	t.Helper()
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	if err := x.Backend.Request.Write(w); err != nil {
		t.Fatalf("Write: %v", err)
	}
	_ = w.Flush()
	return out.String()
}

// header gives the values of a header in a message, joined by "|"; "-" when it has none.
func header(message, name string) string {
	head, _, _ := strings.Cut(message, "\r\n\r\n")
	var values []string
	for _, l := range strings.Split(head, "\r\n")[1:] {
		if k, v, _ := strings.Cut(l, ": "); strings.EqualFold(k, name) {
			values = append(values, v)
		}
	}
	if values == nil {
		return "-"
	}
	return strings.Join(values, "|")
}

// answered sets the backend's answer as it is read from the wire; body is its body.
func answered(t testing.TB, x *exchange.Exchange, body string, head ...string) {
	t.Helper()
	r := &x.Backend.Response
	r.Reset()
	r.Header.DisableNormalizing()
	text := "HTTP/1.1 " + strings.Join(head, "\r\n") + "\r\n\r\n"
	if err := r.Header.Read(bufio.NewReader(strings.NewReader(text))); err != nil {
		t.Fatalf("read the backend's answer: %v", err)
	}
	r.SwapBody([]byte(body))
	x.Backend.Called, x.Backend.Status = true, r.StatusCode()
}

// received runs the response step and gives the bytes for the client. HEAD is answered as a server does.
func received(t testing.TB, r *snapshot.Route, x *exchange.Exchange) string {
	t.Helper()
	x.Route, x.Stage = r, r.Stage
	if err := transform.Response(r).Do(x); err != nil {
		t.Fatalf("Do: %v", err)
	}
	if x.Request.Header.IsHead() {
		x.Response.SkipBody = true
	}
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	if err := x.Response.Write(w); err != nil {
		t.Fatalf("Write: %v", err)
	}
	_ = w.Flush()
	return out.String()
}
