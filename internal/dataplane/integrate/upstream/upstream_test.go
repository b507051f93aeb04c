package upstream_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"gatehouse/internal/dataplane/integrate/upstream"
)

func TestMain(m *testing.M) {
	// fasthttp keeps a clock for the Date header, for ever, once it has printed one.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// backend is a server on loopback whose connections are served by a function.
type backend struct {
	addr  string
	conns atomic.Int32
	ln    net.Listener
}

// newBackend serves each connection with handle, which gets its number from 1 on, and closes it after that.
func newBackend(t testing.TB, handle func(n int, c net.Conn, r *bufio.Reader)) *backend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{addr: ln.Addr().String(), ln: ln}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		open []net.Conn
	)
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			n := int(b.conns.Add(1))
			wg.Go(func() {
				defer c.Close()
				handle(n, c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return b
}

// always answers every request with the same bytes.
func always(answer string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for readRequest(r) != nil {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

// once answers one request on each connection, and closes.
func once(answer string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		if readRequest(r) != nil {
			_, _ = io.WriteString(c, answer)
		}
	}
}

// readRequest reads a request with its body, or gives nil at the end.
func readRequest(r *bufio.Reader) *http.Request {
	req, err := http.ReadRequest(r)
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil
	}
	return req
}

// newUpstream makes an Upstream that is closed at the test's end, when no connection may be left.
func newUpstream(t testing.TB, cfg upstream.Config, servers ...string) *upstream.Upstream {
	t.Helper()
	for _, addr := range servers {
		cfg.Servers = append(cfg.Servers, upstream.Server{Addr: addr})
	}
	u := upstream.New(cfg)
	t.Cleanup(func() {
		u.Close()
		if s := u.Stats(); s.Open != 0 || s.Idle != 0 {
			t.Errorf("after Close: %d open, %d idle connections", s.Open, s.Idle)
		}
	})
	return u
}

// newCall makes a call with a deadline that no test reaches by itself.
func newCall(method, body string) *upstream.Call {
	c := &upstream.Call{Request: &fasthttp.Request{}, Response: &fasthttp.Response{}}
	c.Request.Header.SetMethod(method)
	c.Request.Header.SetRequestURI("/pets?x=1")
	c.Request.Header.SetHost("pets.internal")
	c.Request.Header.SetUserAgent("test")
	c.Response.Header.DisableNormalizing()
	if body != "" {
		c.Request.SetBodyString(body)
	}
	c.Now = time.Now()
	c.Deadline = c.Now.Add(10 * time.Second)
	return c
}

// do makes a call that must succeed and gives status and whole body.
func do(t testing.TB, u *upstream.Upstream, c *upstream.Call) (int, string) {
	t.Helper()
	if err := u.Call(c); err != nil {
		t.Fatalf("Call: %v", err)
	}
	return c.Response.StatusCode(), readAll(t, c.Response)
}

func readAll(t testing.TB, resp *fasthttp.Response) string {
	t.Helper()
	if !resp.IsBodyStream() {
		return string(resp.Body())
	}
	b, err := io.ReadAll(resp.BodyStream())
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	if err := resp.CloseBodyStream(); err != nil {
		t.Fatalf("close body: %v", err)
	}
	return string(b)
}

// eventually waits for something that happens in the background.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 5 s: %s", what)
		}
	}
}

func TestCallWritesTheRequestAndKeepsTheConnection(t *testing.T) {
	type got struct{ Line, Host, Body string }
	seen := make(chan got, 2)
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			seen <- got{req.Method + " " + req.RequestURI, req.Host, string(body)}
			_, _ = io.WriteString(c, "HTTP/1.1 201 Made\r\nx-CASE: kept\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	u := newUpstream(t, upstream.Config{}, b.addr)
	c := newCall("POST", "name=cat")
	for i := range 2 {
		status, body := do(t, u, c)
		if status != 201 || body != "ok" {
			t.Fatalf("got %d %q", status, body)
		}
		if diff := cmp.Diff(got{"POST /pets?x=1", "pets.internal", "name=cat"}, <-seen); diff != "" {
			t.Error(diff)
		}
		if c.Reused != (i == 1) || !c.Sent || c.Server != b.addr || c.BytesIn != 56 || c.BytesOut == 0 {
			t.Errorf("call %d: reused %v, sent %v, server %q, in %d, out %d", i, c.Reused, c.Sent, c.Server, c.BytesIn, c.BytesOut)
		}
		if !strings.Contains(c.Response.Header.String(), "x-CASE: kept") {
			t.Errorf("the name's case was lost:\n%s", &c.Response.Header)
		}
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections for two calls", n)
	}
	if s := u.Stats(); s.Calls != 2 || s.Dials != 1 || s.Open != 1 || s.Idle != 1 {
		t.Errorf("stats: %+v", s)
	}
}

func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", 100)
	tests := []struct {
		name, method, answer string
		status               int
		body                 string
		streamed             bool // the answer has a body stream
		again                bool // the connection serves another call
	}{
		{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, true},
		{"no header at all", "HEAD", "HTTP/1.1 204 \r\n\r\n", 204, "", false, true},
		{"empty", "GET", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, "", false, true},
		{"as long as is buffered", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + long[:64], 200, long[:64], false, true},
		{"longer than is buffered", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n" + long[:65], 200, long[:65], true, true},
		{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200, "abc0123456789", true, true},
		{"chunked with trailers", "GET", "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n00\r\nX-Sum: 1\r\nY: 2\r\n\r\n", 200, "a", true, true},
		{"chunked and empty", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", true, true},
		{"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "", false, true},
		{"head of chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", false, true},
		{"304 with length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304, "", false, true},
		{"204 with length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", false, false},
		{"204 chunked", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "", false, false},
		{"interim", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, true},
		{"closing", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, false},
		{"closing after chunks", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", true, false},
		{"HTTP/1.0 closes", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, false},
		{"more bytes than the length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", 200, "ok", false, false},
		{"bytes after the last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1", 200, "", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, always(tt.answer))
			u := newUpstream(t, upstream.Config{MaxBuffered: 64}, b.addr)
			for range 2 {
				c := newCall(tt.method, "")
				if err := u.Call(c); err != nil {
					t.Fatal(err)
				}
				if got := c.Response.IsBodyStream(); got != tt.streamed {
					t.Errorf("streamed: %v", got)
				}
				if c.Response.ConnectionClose() || len(c.Response.Header.PeekTrailerKeys()) > 0 {
					t.Errorf("hop-by-hop headers are left:\n%s", &c.Response.Header)
				}
				if p := string(c.Response.Header.Protocol()); p != "HTTP/1.1" {
					t.Errorf("protocol %q", p)
				}
				if body := readAll(t, c.Response); c.Response.StatusCode() != tt.status || body != tt.body {
					t.Errorf("got %d %q", c.Response.StatusCode(), body)
				}
			}
			if again := b.conns.Load() == 1; again != tt.again {
				t.Errorf("%d connections for two calls", b.conns.Load())
			}
		})
	}
}

func TestBodyUntilClose(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 200 OK\r\n\r\nall of it", "HTTP/1.0 200 OK\r\nX: y\r\n\r\nall of it"} {
		b := newBackend(t, once(answer))
		u := newUpstream(t, upstream.Config{}, b.addr)
		c := newCall("GET", "")
		if status, body := do(t, u, c); status != 200 || body != "all of it" {
			t.Errorf("got %d %q", status, body)
		}
		if s := u.Stats(); s.Open != 0 {
			t.Errorf("%d connections left", s.Open)
		}
	}
}

func TestServersInTurn(t *testing.T) {
	var addrs []string
	for i := range 3 {
		addrs = append(addrs, newBackend(t, always("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"+strconv.Itoa(i))).addr)
	}
	u := newUpstream(t, upstream.Config{}, addrs...)
	got := map[string]int{}
	for range 9 {
		_, body := do(t, u, newCall("GET", ""))
		got[body]++
	}
	if diff := cmp.Diff(map[string]int{"0": 3, "1": 3, "2": 3}, got); diff != "" {
		t.Error(diff)
	}
}

// closedAddr gives an address on which nothing listens.
func closedAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestRefusedServerMakesWay(t *testing.T) {
	b := newBackend(t, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	u := newUpstream(t, upstream.Config{}, closedAddr(t), b.addr, closedAddr(t))
	for range 6 {
		if _, body := do(t, u, newCall("POST", "x")); body != "ok" {
			t.Errorf("got %q", body)
		}
	}
}

func TestStreamsBothWays(t *testing.T) {
	const size = 10 << 20
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	for _, tt := range []struct {
		name    string
		length  int
		chunked bool
	}{{"lengths known", size, false}, {"chunked", -1, true}} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					body, err := io.ReadAll(req.Body)
					if err != nil {
						return
					}
					resp := http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}
					if tt.chunked {
						resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
					}
					if resp.Write(c) != nil {
						return
					}
				}
			})
			u := newUpstream(t, upstream.Config{}, b.addr)
			for i := range 2 {
				c := newCall("POST", "")
				c.Request.SetBodyStream(io.MultiReader(bytes.NewReader(content)), tt.length)
				if err := u.Call(c); err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				if i == 0 { // as fasthttp's server does, then as anybody else
					if err := c.Response.BodyWriteTo(&got); err != nil {
						t.Fatal(err)
					}
				} else if _, err := io.Copy(&got, struct{ io.Reader }{c.Response.BodyStream()}); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), content) {
					t.Fatalf("%d bytes came back, not the ones that were sent", got.Len())
				}
				if s := u.Stats(); s.Idle != 1 || s.Dials != 1 {
					t.Errorf("the connection was not kept: %+v", s)
				}
				if err := c.Response.CloseBodyStream(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestBodyClosedEarlyClosesTheConnection(t *testing.T) {
	b := newBackend(t, always("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome"))
	u := newUpstream(t, upstream.Config{}, b.addr)
	c := newCall("GET", "")
	if err := u.Call(c); err != nil {
		t.Fatal(err)
	}
	stream := c.Response.BodyStream()
	if err := c.Response.CloseBodyStream(); err != nil {
		t.Fatal(err)
	}
	if s := u.Stats(); s.Open != 0 {
		t.Errorf("%d connections left", s.Open)
	}
	if _, err := stream.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			req := readRequest(r)
			if req == nil {
				return
			}
			id := req.Header.Get("X-Id")
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(len(id))+"\r\n\r\n"+id)
		}
	})
	w := upstream.NewWatcher()
	defer w.Close()
	u := newUpstream(t, upstream.Config{Watcher: w}, b.addr, b.addr)
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 100 {
				id := strconv.Itoa(g*1000 + i)
				c := newCall("GET", "")
				c.Request.Header.Set("X-Id", id)
				if err := u.Call(c); err != nil || string(c.Response.Body()) != id {
					t.Errorf("call %s: %q, %v", id, c.Response.Body(), err)
					return
				}
			}
		})
	}
	wg.Wait()
	if s := u.Stats(); s.Open != s.Idle || s.Open > 32 {
		t.Errorf("stats: %+v", s)
	}
}
