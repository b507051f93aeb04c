package httpproxy_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/httpproxy"
	"gatehouse/internal/dataplane/integrate/upstream"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend serves every connection with handle and gives its address.
func backend(t *testing.T, handle func(c net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			handle(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

// says reads a request's head and answers with text.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			line, err := in.ReadString('\n')
			if err != nil || line == "\r\n" {
				break
			}
		}
		_, _ = io.WriteString(c, text)
	}
}

// silent reads until the gateway hangs up and never answers.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// pool makes an upstream of one server that ends with the test.
func pool(t *testing.T, c upstream.Config, addr string) *upstream.Upstream {
	t.Helper()
	c.Servers = []upstream.Server{{Addr: addr}}
	u := upstream.New(c)
	t.Cleanup(u.Close)
	return u
}

func route(timeout time.Duration) *snapshot.Route {
	return &snapshot.Route{Integration: &snapshot.Integration{Timeout: timeout, Upstream: &snapshot.Upstream{ID: "http://backend.test:80"}}}
}

func step(caller httpproxy.Caller, timeout time.Duration) *httpproxy.Step {
	p := httpproxy.New(httpproxy.Config{Upstream: func(*snapshot.Upstream) httpproxy.Caller { return caller }})
	return p.For(route(timeout))
}

func get() *exchange.Exchange {
	x := &exchange.Exchange{Request: &fasthttp.Request{}, Response: &fasthttp.Response{}}
	x.Backend.Request.SetRequestURI("/")
	x.Backend.Request.Header.SetHost("backend.test")
	return x
}

func TestAnswer(t *testing.T) {
	addr := backend(t, says("HTTP/1.1 404 Not Found\r\nx-lower: 1\r\nContent-Length: 2\r\n\r\nno"))
	s, x := step(pool(t, upstream.Config{}, addr), time.Second), get()
	if err := s.Do(x); err != nil {
		t.Fatal(err)
	}
	b := &x.Backend
	if !b.Called || b.Status != 404 || b.Latency <= 0 || b.Err != nil || string(b.Response.Body()) != "no" {
		t.Errorf("got %+v", b)
	}
	var names []string
	for name := range b.Response.Header.All() {
		names = append(names, string(name))
	}
	if !slices.Contains(names, "x-lower") {
		t.Errorf("the name's case changed in %q", names)
	}
}

func TestFailures(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	_ = closed.Close()
	tests := []struct {
		name string
		addr string
		kind fault.Kind
		want upstream.Kind
	}{
		{"refused", refused, fault.IntegrationFailure, upstream.Refused},
		{"closed early", backend(t, says("")), fault.IntegrationFailure, upstream.Reset},
		{"cut short", backend(t, says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")), fault.IntegrationFailure, upstream.Reset},
		{"garbage", backend(t, says("SSH-2.0-x\r\n\r\n")), fault.IntegrationFailure, upstream.Malformed},
		{"slow", backend(t, silent), fault.IntegrationTimeout, upstream.Timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, x := step(pool(t, upstream.Config{}, tt.addr), 200*time.Millisecond), get()
			err := s.Do(x)
			if err == nil || fault.Of(err).Kind != tt.kind || !errors.Is(x.Backend.Err, tt.want) {
				t.Fatalf("got %v, %v, want %v, %v", err, x.Backend.Err, tt.kind, tt.want)
			}
			if x.Backend.Status != 0 || x.Backend.Latency <= 0 || len(x.Backend.Response.Body()) > 0 || x.Backend.Response.Header.ContentLength() != 0 {
				t.Errorf("something is left of the answer: %d, %v, %q", x.Backend.Status, x.Backend.Latency, x.Backend.Response.Body())
			}
		})
	}
}

func TestTLSFailure(t *testing.T) {
	addr := backend(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		silent(c)
	})
	u := upstream.New(upstream.Config{Servers: []upstream.Server{{Addr: addr, TLS: true}}})
	defer u.Close()
	x := get()
	if err := step(u, time.Second).Do(x); err == nil || fault.Of(err).Kind != fault.IntegrationFailure || !errors.Is(x.Backend.Err, upstream.TLS) {
		t.Errorf("got %v, %v", err, x.Backend.Err)
	}
}

func TestClientBody(t *testing.T) {
	tooLarge := fault.New(fault.RequestTooLarge, "too large")
	tests := []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"a fault of the body's reader", tooLarge, fault.RequestTooLarge},
		{"any other error", errors.New("reset"), fault.Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := backend(t, silent)
			x := get()
			x.Backend.Request.Header.SetMethod("POST")
			x.Backend.Request.SetBodyStream(io.MultiReader(strings.NewReader("abc"), failing{tt.err}), -1)
			if err := step(pool(t, upstream.Config{}, addr), time.Second).Do(x); err == nil || fault.Of(err).Kind != tt.want {
				t.Errorf("got %v, want %v (%v)", err, tt.want, x.Backend.Err)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestClientGoesAway(t *testing.T) {
	addr := backend(t, silent)
	w := upstream.NewWatcher()
	defer w.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = near.Close() }()
	x := get()
	x.Conn = near
	_ = far.Close()
	err = step(pool(t, upstream.Config{Watcher: w}, addr), 10*time.Second).Do(x)
	if err == nil || !errors.Is(x.Backend.Err, upstream.Abandoned) || !strings.Contains(fault.Of(err).Reason, "client") || x.Backend.Latency > 5*time.Second {
		t.Errorf("got %v, %v after %v", err, x.Backend.Err, x.Backend.Latency)
	}
}

func TestForOthers(t *testing.T) {
	p := httpproxy.New(httpproxy.Config{})
	for _, r := range []*snapshot.Route{{}, {Integration: &snapshot.Integration{Kind: snapshot.Mock}}} {
		if p.For(r) != nil {
			t.Error("got a step for a route without HTTP backend")
		}
	}
}

// answering is a backend without a network.
type answering struct {
	deadline, now time.Time
	client        net.Conn
	err           error
}

func (a *answering) Call(c *upstream.Call) error {
	a.deadline, a.now, a.client = c.Deadline, c.Now, c.Client
	c.Response.SetStatusCode(200)
	return a.err
}

func TestCall(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		want    time.Time
	}{
		{"with a timeout", 3 * time.Second, at.Add(3 * time.Second)},
		{"without", 0, time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, reads := &answering{}, 0
			p := httpproxy.New(httpproxy.Config{
				Upstream: func(u *snapshot.Upstream) httpproxy.Caller {
					if u.ID != "http://backend.test:80" {
						t.Errorf("asked for %q", u.ID)
					}
					return a
				},
				Now: func() time.Time { reads++; return at.Add(time.Duration(reads-1) * time.Millisecond) },
			})
			x := get()
			x.Started = at.Add(-time.Hour)
			near, far := net.Pipe()
			defer func() { _, _ = near.Close(), far.Close() }()
			x.Conn = near
			if err := p.For(route(tt.timeout)).Do(x); err != nil {
				t.Fatal(err)
			}
			if !a.deadline.Equal(tt.want) || !a.now.Equal(at) || a.client != near || reads != 2 || x.Backend.Latency != time.Millisecond {
				t.Errorf("deadline %v, now %v, client %v, %d reads of the clock, latency %v", a.deadline, a.now, a.client, reads, x.Backend.Latency)
			}
		})
	}
	t.Run("an error of no kind", func(t *testing.T) {
		x := get()
		if err := step(&answering{err: fmt.Errorf("odd")}, 0).Do(x); err == nil || fault.Of(err).Kind != fault.IntegrationFailure || x.Backend.Err.Error() != "odd" {
			t.Errorf("got %v, %v", err, x.Backend.Err)
		}
	})
	t.Run("the error outlives the call", func(t *testing.T) {
		x, f := get(), &upstream.Failure{Kind: upstream.Reset, Server: "one"}
		_ = step(&answering{err: f}, 0).Do(x)
		*f = upstream.Failure{Kind: upstream.Timeout, Server: "two"}
		if !errors.Is(x.Backend.Err, upstream.Reset) || !strings.Contains(x.Backend.Err.Error(), "one") {
			t.Errorf("the next call made it %q", x.Backend.Err)
		}
	})
	t.Run("an unsendable request", func(t *testing.T) {
		x := get()
		if err := step(&answering{err: &upstream.Failure{Kind: upstream.Unsendable}}, 0).Do(x); err == nil || fault.Of(err).Kind != fault.APIConfigurationError {
			t.Errorf("got %v", err)
		}
	})
}

func TestCallAllocatesNothing(t *testing.T) {
	s, x := step(&answering{}, time.Second), get()
	if n := testing.AllocsPerRun(100, func() { _ = s.Do(x) }); n != 0 {
		t.Errorf("%v allocations a call, want 0", n)
	}
}
