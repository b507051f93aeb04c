// Package gatewaytest runs a whole gateway inside a test: config, compile, listeners, data plane and back.
//
// It is for tests of behaviour at the public door. Everything is real but the process: sockets on loopback, the store on
// disk, the files that a user would write. It is imported by tests only.
package gatewaytest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/daemon"
	"gatehouse/internal/definition"
)

// Gateway is a running gateway. Its methods fail the test instead of returning errors.
type Gateway struct {
	t      testing.TB
	dir    string
	daemon *daemon.Daemon
	stop   func()
	// Stderr is what the gateway logged about itself.
	Stderr *Buffer
}

// config is what every test's gatehouse.yaml begins with: free ports, and an access log beside it.
const config = `listen: {http: "127.0.0.1:0"}
management: {listen: "127.0.0.1:0"}
data: ./data
log: {level: debug, access: {file: ./access.log, format: '{"id":"$context.requestId","status":$context.status,"route":"$context.routeKey","error":"$context.error.responseType","backend":"$context.integration.status","failure":"$context.integration.error","key":"$context.identity.apiKeyId"}'}}
`

// Config gives a gatehouse.yaml whose listeners, data and log are set for tests; rest holds the other keys.
func Config(rest string) map[string]string { return map[string]string{"gatehouse.yaml": config + rest} }

// New starts a gateway on a folder with the files, of which gatehouse.yaml is the config. It stops with the test.
func New(t testing.TB, files map[string]string) *Gateway {
	t.Helper()
	dir := t.TempDir()
	return In(t, dir, files)
}

// In is New in a folder of the caller's, for tests that start a gateway twice.
func In(t testing.TB, dir string, files map[string]string) *Gateway {
	t.Helper()
	g := &Gateway{t: t, dir: dir, Stderr: &Buffer{}}
	g.Write(files)
	ctx, cancel := context.WithCancel(context.Background())
	d, diags, err := daemon.New(ctx, daemon.Config{Path: g.path("gatehouse.yaml"), Env: os.LookupEnv, Stderr: g.Stderr, Version: "test"})
	if err != nil || diags.HasErrors() {
		cancel()
		t.Fatalf("the gateway does not start: %v\n%s", err, text(diags))
	}
	g.daemon = d
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	g.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the gateway stopped with: %v", err)
		}
	})
	t.Cleanup(g.Stop)
	return g
}

func text(diags definition.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

// Stop ends the gateway as SIGTERM does, and waits.
func (g *Gateway) Stop() { g.stop() }

// Write puts files into the gateway's folder.
func (g *Gateway) Write(files map[string]string) {
	g.t.Helper()
	for name, content := range files {
		if err := os.WriteFile(g.path(name), []byte(content), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g *Gateway) path(name string) string { return filepath.Join(g.dir, name) }

// Reload tells the gateway to read its files again, as SIGHUP does.
func (g *Gateway) Reload() { g.daemon.Reload() }

// URL gives the address of a path on the gateway.
func (g *Gateway) URL(path string) string { return "http://" + g.Addr() + path }

// Management gives the address of a path on the management listener.
func (g *Gateway) Management(path string) string {
	return "http://" + g.daemon.ManagementAddr().String() + path
}

// Addr is the gateway's "host:port".
func (g *Gateway) Addr() string { return g.daemon.Addr().String() }

// Answer is what a client got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends one request; headers are "Name: value". Connections are kept between requests.
func (g *Gateway) Do(method, path string, headers ...string) Answer {
	g.t.Helper()
	return g.Send(method, path, nil, headers...)
}

// Send is Do with a body.
func (g *Gateway) Send(method, path string, body io.Reader, headers ...string) Answer {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.URL(path), body)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header[name] = append(req.Header[name], value)
	}
	resp, err := client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("%s %s: body: %v", method, path, err)
	}
	return Answer{resp.StatusCode, resp.Header, string(b)}
}

var client = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       30 * time.Second,
}

// Conn is a client's connection for requests that no library would send.
type Conn struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

// Dial opens a connection. It is closed with the test.
func (g *Gateway) Dial() *Conn {
	g.t.Helper()
	c, err := net.Dial("tcp", g.Addr())
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return &Conn{c, bufio.NewReader(c), g.t}
}

// Say writes raw text.
func (c *Conn) Say(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, raw); err != nil {
		c.t.Fatal(err)
	}
}

// Hear reads one answer; ok is false when the connection was closed instead.
func (c *Conn) Hear(method string) (a Answer, ok bool) {
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return Answer{}, false
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(b)}, true
}

// Closed waits until the gateway has closed the connection.
func (c *Conn) Closed() bool {
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	_, err := c.r.ReadByte()
	return err == io.EOF || (err != nil && !strings.Contains(err.Error(), "timeout"))
}

// AccessLog waits until the access log has n lines and gives them.
func (g *Gateway) AccessLog(n int) []string {
	g.t.Helper()
	var lines []string
	g.Eventually(func() bool {
		b, err := os.ReadFile(g.path("access.log"))
		if err != nil {
			return false
		}
		lines = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		return len(b) > 0 && len(lines) >= n
	}, "%d lines in the access log", n)
	return lines
}

// Get reads a path of the management listener.
func (g *Gateway) Get(path string) Answer {
	g.t.Helper()
	resp, err := client.Get(g.Management(path))
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(b)}
}

// Eventually waits up to ten seconds for a condition.
func (g *Gateway) Eventually(ok func() bool, format string, args ...any) {
	g.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("waited in vain for "+format, args...)
		}
	}
}

// Buffer collects text from several goroutines.
type Buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write appends.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String gives all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
