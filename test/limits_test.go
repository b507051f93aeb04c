package test_test

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/gatewaytest"
)

// AWS's limits.
const (
	maxURL     = 8192
	maxHeaders = 10_240
	maxBody    = 10 << 20
)

// good sends a request that must be served, on a connection that was used before.
func good(t *testing.T, c *gatewaytest.Conn) {
	t.Helper()
	c.Say(get + "\r\n")
	if a, ok := c.Hear("GET"); !ok || a.Status != 200 {
		t.Errorf("the connection is not usable any more: %v %+v", ok, a)
	}
}

// head gives a request whose headers have so many bytes, the line breaks included.
func head(bytes int) string {
	const host, name, end = "Host: h\r\n", "X-Long: ", "\r\n"
	return "GET /a HTTP/1.1\r\n" + host + name + strings.Repeat("x", bytes-len(host)-len(name)-2*len(end)) + end + end
}

func TestHeaderAndURLLimits(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", publicAPI(b.URL))
	url := func(n int) string { return "GET /" + strings.Repeat("u", n-1) + " HTTP/1.1\r\nHost: h\r\n\r\n" }
	for _, tc := range []struct {
		name, raw string
		status    int
		errorType string
	}{
		{"headers of 10,240 bytes", head(maxHeaders), 200, ""},
		{"headers of 10,241 bytes", head(maxHeaders + 1), 431, "RequestHeaderFieldsTooLargeException"},
		{"headers of 15,000 bytes", head(15_000), 431, "RequestHeaderFieldsTooLargeException"},
		{"many small headers", get + strings.Repeat("A: b\r\n", 1800) + "\r\n", 431, "RequestHeaderFieldsTooLargeException"},
		{"URL of 8,192 bytes", url(maxURL), 200, ""},
		{"URL of 8,193 bytes", url(maxURL + 1), 414, "RequestUriTooLongException"},
		{"URL of 12,000 bytes", url(12_000), 414, "RequestUriTooLongException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := g.Dial()
			c.Say(tc.raw)
			a, ok := c.Hear("GET")
			if !ok || a.Status != tc.status || a.Header.Get("X-Amzn-Errortype") != tc.errorType {
				t.Errorf("%v %d %v %.200s", ok, a.Status, a.Header, a.Body)
			}
			if got := len(b.take()); (got == 1) != (tc.status == 200) {
				t.Errorf("%d requests reached the backend", got)
			}
			good(t, c)
			b.take()
		})
	}
	for _, tc := range []struct{ name, raw string }{
		{"headers of 30,000 bytes", head(30_000)},
		{"headers of 1 MB", head(1 << 20)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := g.Dial()
			_, _ = io.WriteString(c, tc.raw) // the gateway may stop reading
			if a, ok := c.Hear("GET"); !ok || a.Status != 431 {
				t.Errorf("%v %d %.200s", ok, a.Status, a.Body)
			}
			if !c.Closed() {
				t.Error("the connection is open")
			}
			if got := len(b.take()); got != 0 {
				t.Errorf("%d requests reached the backend", got)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", publicAPI(b.URL))
	plain := func(n int) string {
		return post + "Content-Length: " + strconv.Itoa(n) + "\r\n\r\n" + strings.Repeat("b", n)
	}
	inChunks := func(n int) string {
		var s strings.Builder
		s.WriteString(post + "Transfer-Encoding: chunked\r\n\r\n")
		for left := n; left > 0; left -= 1 << 20 {
			size := min(left, 1<<20)
			fmt.Fprintf(&s, "%x\r\n%s\r\n", size, strings.Repeat("b", size))
		}
		return s.String() + "0\r\n\r\n"
	}
	for _, tc := range []struct {
		name, raw string
		status    int
	}{
		{"10 MB", plain(maxBody), 200},
		{"10 MB in chunks", inChunks(maxBody), 200},
		{"over 10 MB", plain(maxBody + 1), 413},
		{"over 10 MB in chunks", inChunks(maxBody + 1), 413},
		{"1 GB of which 16 KB come", post + "Content-Length: 1000000000\r\n\r\n" + strings.Repeat("b", 16<<10), 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := g.Dial()
			go func() { _, _ = io.WriteString(c, tc.raw) }()
			a, ok := c.Hear("POST")
			if !ok || a.Status != tc.status {
				t.Fatalf("%v %d %.200s", ok, a.Status, a.Body)
			}
			got := b.take()
			if tc.status == 200 {
				if len(got) != 1 || len(got[0].body) != maxBody {
					t.Errorf("the backend got %d requests", len(got))
				}
				good(t, c)
				b.take()
				return
			}
			if a.Body != `{"message":"Request Too Long"}` || len(got) != 0 {
				t.Errorf("%s; the backend got %d whole requests", a.Body, len(got))
			}
			if !c.Closed() {
				t.Error("the connection is open although a body is under way on it")
			}
		})
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", `
apis: {a: {api_key: true, routes: {"ANY /a": "`+b.URL+`/a"}, stages: {v1: {}}}}
usage_plans: {p: {stages: [a/v1]}}
api_keys: {k: {value: kkkkkkkkkkkkkkkkkkkkkkkkkkkk, plans: [p]}}
`)
	const expect = post + "Expect: 100-continue\r\nContent-Length: 5\r\n"
	t.Run("with a key", func(t *testing.T) {
		c := g.Dial()
		c.Say(expect + "x-api-key: kkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n\r\n")
		const want = "HTTP/1.1 100 Continue\r\n\r\n"
		interim := make([]byte, len(want))
		if _, err := io.ReadFull(c, interim); err != nil || string(interim) != want {
			t.Fatalf("%q %v", interim, err)
		}
		c.Say("hello")
		if a, ok := c.Hear("POST"); !ok || a.Status != 200 {
			t.Errorf("%v %+v", ok, a)
		}
		if got := b.take(); len(got) != 1 || got[0].body != "hello" || got[0].header.Get("Expect") != "" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("without a key", func(t *testing.T) {
		c := g.Dial()
		c.Say(expect + "\r\nhello") // some clients do not wait
		for range 2 {               // 403 may come behind a 100
			a, ok := c.Hear("POST")
			if !ok {
				t.Fatal("no answer")
			}
			if a.Status == 403 {
				break
			}
		}
		if got := b.take(); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestSlowClients(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "header_timeout: 300ms, body_timeout: 600ms, idle_timeout: 500ms",
		`apis: {a: {public: true, routes: {"ANY /{p+}": {backend: "`+b.URL+`/{p}", timeout: 1s}}}}`)
	for _, tc := range []struct {
		name, first, drip string
		status            int // 0: closed without an answer, as nobody asked anything
	}{
		{"header in drips", "GET /a HTTP/1.1\r\nHost: h\r\nA", "a", 400},
		{"header stands still", "GET /a HT", "", 400},
		{"body stands still at its beginning", post + "Content-Length: 10000\r\n\r\nabc", "", 400},
		{"body stands still later", post + "Content-Length: 10000\r\n\r\n" + strings.Repeat("b", 9000), "", 400},
		{"chunks stand still", post + "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n", "", 400},
		// what keeps coming is bounded by the body's time as a whole
		{"body in drips", post + "Content-Length: 10000\r\n\r\n" + strings.Repeat("b", 9000), "b", 400},
		{"chunks in drips", post + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nb\r\n", 400},
		{"idle", "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := g.Dial()
			_ = c.SetDeadline(time.Now().Add(6 * time.Second))
			c.Say(tc.first)
			start := time.Now()
			done := make(chan struct{})
			defer close(done)
			go drip(c, tc.drip, done)
			a, ok := c.Hear("POST")
			if ok != (tc.status != 0) || a.Status != tc.status {
				t.Errorf("%v %+v", ok, a)
			}
			if ok && !c.Closed() {
				t.Error("the connection is open")
			}
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	t.Run("idle between requests", func(t *testing.T) {
		t.Parallel()
		c := g.Dial()
		good(t, c)
		if !c.Closed() {
			t.Error("the connection is open")
		}
	})
}

// drip writes a little now and then.
func drip(c net.Conn, text string, done chan struct{}) {
	if text == "" {
		return
	}
	for {
		select {
		case <-done:
			return
		case <-time.After(50 * time.Millisecond):
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// TestSlowClientDoesNotHoldOthers: 200 connections that never finish their header, and one that does.
func TestSlowClientDoesNotHoldOthers(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "header_timeout: 5s", publicAPI(b.URL))
	for range 200 {
		g.Dial().Say("GET /a HTTP/1.1\r\n")
	}
	if a := g.Do("GET", "/a"); a.Status != 200 {
		t.Errorf("%+v", a)
	}
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "", publicAPI(b.URL))
	t.Run("1000 requests", func(t *testing.T) {
		c := g.Dial()
		for range 1000 {
			good(t, c)
		}
		if got := metric(t, g, "gatehouse_connections_accepted_total"); got != 1 {
			t.Errorf("%v connections were accepted", got)
		}
		b.take()
	})
	t.Run("pipelined", func(t *testing.T) {
		c := g.Dial()
		var all strings.Builder
		for i := range 50 {
			fmt.Fprintf(&all, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\nPOST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", i, i)
		}
		go c.Say(all.String())
		for i := range 50 {
			for _, want := range []string{fmt.Sprintf("GET /%d 0", i), fmt.Sprintf("POST /%d 3", i)} {
				if a, ok := c.Hear("GET"); !ok || a.Body != want {
					t.Fatalf("%v %+v, not %s", ok, a, want)
				}
			}
		}
		b.take()
	})
	for _, tc := range []struct {
		name, raw string
		keeps     bool
	}{
		{"HTTP/1.0", "GET /a HTTP/1.0\r\nHost: h\r\n\r\n", false},
		{"HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n\r\n", false},
		{"HTTP/1.0 with keep-alive", "GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true},
		{"HTTP/1.1 with close", get + "Connection: close\r\n\r\n", false},
		{"HTTP/1.1 with Close", get + "Connection: Close\r\n\r\n", false},
		{"HTTP/1.1 with close in a list", get + "Connection: x, close\r\n\r\n", false},
		{"refused", "GET /a HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 11_000) + "\r\n\r\n", true},
		{"body of a refused request", "POST /a HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 11_000) + "\r\nContent-Length: 5\r\n\r\nhello", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := g.Dial()
			c.Say(tc.raw)
			a, ok := c.Hear("GET")
			if !ok {
				t.Fatal("no answer")
			}
			if told := a.Header.Get("Connection") == "close"; tc.keeps && told {
				t.Errorf("the client is told that the connection closes: %v", a.Header)
			}
			if tc.keeps {
				good(t, c)
			} else if !c.Closed() {
				t.Error("the connection is open")
			}
		})
	}
}
