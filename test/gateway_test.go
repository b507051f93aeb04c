package test_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/gatewaytest"
)

// newGateway is gatewaytest.New with keys for listen beside its address.
func newGateway(t testing.TB, listen, rest string) *gatewaytest.Gateway {
	t.Helper()
	files := gatewaytest.Config(rest)
	const address = `listen: {http: "127.0.0.1:0"`
	if !strings.HasPrefix(files["gatehouse.yaml"], address+"}") {
		t.Fatal("gatewaytest.Config begins in another way now")
	}
	if listen != "" {
		files["gatehouse.yaml"] = address + ", " + listen + files["gatehouse.yaml"][len(address):]
	}
	return gatewaytest.New(t, files)
}

// metric reads one number of the management listener; 0 when there is none of that name and labels.
func metric(t testing.TB, g *gatewaytest.Gateway, series string) float64 {
	t.Helper()
	for line := range strings.Lines(g.Get("/metrics").Body) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == series {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	return 0
}

// recorder is a backend that remembers the requests which it got whole.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

type seen struct {
	line, body string // line is "METHOD URI"
	header     http.Header
}

func newRecorder(t testing.TB) *recorder {
	t.Helper()
	b := &recorder{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		b.mu.Lock()
		b.seen = append(b.seen, seen{r.Method + " " + r.RequestURI, string(body), r.Header})
		b.mu.Unlock()
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %s %d", r.Method, r.RequestURI, len(body))
	}))
	t.Cleanup(b.Close)
	return b
}

// take gives the requests since the last take.
func (b *recorder) take() []seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.seen
	b.seen = nil
	return s
}

// rawBackend is a backend that says what its test wants, byte by byte.
type rawBackend struct {
	net.Listener
	wg       sync.WaitGroup
	accepted atomic.Int64
}

// rawRequest is one request as it stood on the wire.
type rawRequest struct {
	net.Conn
	r *bufio.Reader
	// head is the request up to the empty line, body what its Content-Length announced.
	head, body string
	t          testing.TB
}

// say writes an answer, or a part of one. It does not matter whether anybody is there to read it.
func (r *rawRequest) say(text string) { _, _ = io.WriteString(r.Conn, text) }

// newRaw starts a backend which calls answer for each request. The connection is kept while answer returns true.
func newRaw(t testing.TB, answer func(r *rawRequest) (keep bool)) *rawBackend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &rawBackend{Listener: ln}
	b.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b.accepted.Add(1)
			b.wg.Go(func() { serveRaw(t, c, answer) })
		}
	})
	t.Cleanup(b.stop)
	return b
}

func (b *rawBackend) stop() {
	_ = b.Close()
	b.wg.Wait()
}

func (b *rawBackend) addr() string { return b.Addr().String() }

func serveRaw(t testing.TB, c net.Conn, answer func(r *rawRequest) bool) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	br := bufio.NewReader(c)
	for {
		r := &rawRequest{Conn: c, r: br, t: t}
		for !strings.HasSuffix(r.head, "\r\n\r\n") {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			r.head += line
		}
		if n, err := strconv.Atoi(r.header("Content-Length")); err == nil {
			b := make([]byte, n)
			if _, err := io.ReadFull(br, b); err != nil {
				return
			}
			r.body = string(b)
		}
		if !answer(r) {
			return
		}
	}
}

// header gives the value of the first header of exactly this name.
func (r *rawRequest) header(name string) string {
	for line := range strings.Lines(r.head) {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSuffix(v, "\r\n")
		}
	}
	return ""
}

// path gives the request target.
func (r *rawRequest) path() string { return strings.Fields(r.head)[1] }

// reset closes the connection with a TCP reset.
func (r *rawRequest) reset() {
	if c, ok := r.Conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	_ = r.Conn.Close()
}
