package test_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/gatewaytest"
)

// TestDownloadIsStreamed is not parallel: it measures the heap.
func TestDownloadIsStreamed(t *testing.T) {
	const size, piece = 20 << 20, 64 << 10
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		p := make([]byte, piece)
		for range size / piece {
			if _, err := w.Write(p); err != nil {
				return
			}
		}
	}))
	defer b.Close()
	g := newGateway(t, "", publicAPI(b.URL))
	for _, path := range []string{"/length", "/chunks"} {
		t.Run(path[1:], func(t *testing.T) {
			resp, err := http.Get(g.URL(path))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			before, most := heap(), uint64(0)
			p := make([]byte, piece)
			total, sampled := 0, 0
			for err == nil {
				var n int
				n, err = resp.Body.Read(p)
				total += n
				if total-sampled >= 1<<20 {
					sampled, most = total, max(most, heap())
				}
			}
			if err != io.EOF || total != size {
				t.Errorf("%d bytes, %v", total, err)
			}
			if most > before+4<<20 {
				t.Errorf("the heap grew from %d to %d MB", before>>20, most>>20)
			}
		})
	}
}

// heap gives the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestUploadIsStreamed: the backend sees the body's beginning before the client has sent its end.
func TestUploadIsStreamed(t *testing.T) {
	t.Parallel()
	const size = 9 << 20
	began, whole := make(chan struct{}, 1), make(chan int, 1)
	b := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		first, _ := io.ReadFull(r.Body, make([]byte, 10_000))
		began <- struct{}{}
		rest, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		whole <- first + int(rest)
	}))
	defer b.Close()
	g := newGateway(t, "", publicAPI(b.URL))
	for _, encoding := range []string{"Content-Length: " + strconv.Itoa(size), "Transfer-Encoding: chunked"} {
		t.Run(encoding[:7], func(t *testing.T) {
			c := g.Dial()
			c.Say(post + encoding + "\r\n\r\n")
			send := func(n int) {
				if strings.HasPrefix(encoding, "Transfer") {
					c.Say(fmt.Sprintf("%x\r\n%s\r\n", n, strings.Repeat("u", n)))
				} else {
					c.Say(strings.Repeat("u", n))
				}
			}
			send(1 << 20)
			select {
			case <-began:
			case <-time.After(5 * time.Second):
				t.Fatal("the backend does not get what was sent so far")
			}
			send(size - 1<<20)
			if strings.HasPrefix(encoding, "Transfer") {
				c.Say("0\r\n\r\n")
			}
			if a, ok := c.Hear("POST"); !ok || a.Status != 200 {
				t.Fatalf("%v %+v", ok, a)
			}
			if n := <-whole; n != size {
				t.Errorf("%d bytes arrived", n)
			}
		})
	}
}

// TestSlowReader: an answer that its client does not take holds little memory, and shutdown does not wait for it for ever.
func TestSlowReader(t *testing.T) {
	const size = 50 << 20
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p := make([]byte, 64<<10)
		for range size / len(p) {
			if _, err := w.Write(p); err != nil {
				return
			}
		}
	}))
	defer b.Close()
	g := newGateway(t, "", "shutdown_timeout: 300ms\n"+publicAPI(b.URL))
	before := heap()
	c := g.Dial()
	c.Say(get + "\r\n")
	time.Sleep(500 * time.Millisecond)
	if after := heap(); after > before+8<<20 {
		t.Errorf("the heap grew from %d to %d MB", before>>20, after>>20)
	}
	start := time.Now()
	g.Stop()
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("stopping took %v", took)
	}
	_ = c.Close() // else the backend would wait
}

func TestHTTPSBackends(t *testing.T) {
	t.Parallel()
	b := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.TLS.ServerName, r.Host)
	}))
	b.Config.ErrorLog = nil
	defer b.Close()
	addr := b.Listener.Addr().String()
	files := gatewaytest.Config(fmt.Sprintf(`
apis:
  a: {public: true, routes: {"GET /ca": "https://example.com/", "GET /skip": "https://skip.internal/", "GET /wrong": "https://wrong.internal/", "GET /unknown": "https://unknown.example.com/", "GET /plain": "http://%[1]s/"}}
  doc: {openapi: doc.yaml}
domains: {"*": {/: a/default, /doc: doc/default}}
upstreams:
  example.com: {servers: ["https://%[1]s"], ca: ca.pem}
  skip.internal: {servers: ["%[1]s"], insecure_skip_verification: true}
  wrong.internal: {servers: ["%[1]s"], ca: ca.pem}
  unknown.example.com: {servers: ["%[1]s"]}
  doc.internal: {servers: ["%[1]s"]}
`, addr))
	files["ca.pem"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate().Raw}))
	files["doc.yaml"] = `
openapi: 3.0.1
info: {title: t, version: "1"}
paths:
  /skip:
    get:
      security: []
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "https://doc.internal/", tlsConfig: {insecureSkipVerification: true}}
`
	g := gatewaytest.New(t, files)
	for _, tc := range []struct {
		path   string
		status int
		body   string
	}{
		{"/ca", 200, "example.com example.com"},
		{"/skip", 200, "skip.internal skip.internal"},
		{"/doc/skip", 200, "doc.internal doc.internal"},
		{"/wrong", 500, `{"message":"Internal server error"}`},
		{"/unknown", 500, `{"message":"Internal server error"}`},
	} {
		if a := g.Do("GET", tc.path); a.Status != tc.status || a.Body != tc.body {
			t.Errorf("%s: %d %s", tc.path, a.Status, a.Body)
		}
	}
	if got := metric(t, g, `gatehouse_integration_errors_total{kind="tls"}`); got != 2 {
		t.Errorf("%v TLS errors were counted", got)
	}
	if a := g.Do("GET", "/plain"); a.Status != 400 {
		t.Errorf("plain HTTP to an HTTPS port is the backend's to answer: %+v", a)
	}
}

// TestBinaryBodies: bytes go both ways unchanged.
func TestBinaryBodies(t *testing.T) {
	t.Parallel()
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer b.Close()
	g := newGateway(t, "", publicAPI(b.URL))
	for _, size := range []int{1, 255, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(i * 7)
		}
		a := g.Send("POST", "/", bytes.NewReader(body), "Content-Type: application/octet-stream")
		if a.Status != 200 || a.Body != string(body) {
			t.Errorf("%d bytes: status %d, %d bytes came back", size, a.Status, len(a.Body))
		}
	}
}
