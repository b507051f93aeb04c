package transform_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/httpproxy"
	"gatehouse/internal/dataplane/integrate/upstream"
	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// gateway is a server with the three steps only. As in production an exchange serves all requests of a
// connection. It gives the server's URL.
func gateway(t *testing.T, backend string) string {
	t.Helper()
	pool := upstream.New(upstream.Config{Servers: []upstream.Server{{Addr: backend}}})
	t.Cleanup(pool.Close)
	r := route(snapshot.REST, snapshot.Integration{QueryPasses: true, Timeout: 10 * time.Second})
	request, response := transform.Request(r), transform.Response(r)
	proxy := httpproxy.New(httpproxy.Config{Upstream: func(*snapshot.Upstream) httpproxy.Caller { return pool }})
	steps := []interface {
		Do(x *exchange.Exchange) error
	}{request, proxy.For(r), response}
	var exchanges sync.Map
	s := &fasthttp.Server{
		StreamRequestBody: true, MaxRequestBodySize: exchange.MaxBody, NoDefaultContentType: true, DisablePreParseMultipartForm: true,
		DisableHeaderNamesNormalizing: true,
		Handler: func(ctx *fasthttp.RequestCtx) {
			of, _ := exchanges.LoadOrStore(ctx.Conn(), &exchange.Exchange{})
			x := of.(*exchange.Exchange)
			x.Reset()
			x.Request, x.Response, x.Conn, x.Started = &ctx.Request, &ctx.Response, ctx.Conn(), ctx.Time()
			x.Route, x.Stage, x.Method = r, r.Stage, ctx.Method()
			for _, s := range steps {
				if err := s.Do(x); err != nil {
					ctx.Response.Reset()
					ctx.Error(fault.Of(err).Kind.String(), 500)
					break
				}
			}
		},
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ln) }()
	t.Cleanup(func() { _ = s.Shutdown(); <-done })
	return "http://" + ln.Addr().String()
}

// TestWay carries bodies of many sizes and framings both ways, many at once, and compares them.
func TestWay(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(body)
		w.Header().Set("X-Sum", hex.EncodeToString(sum[:]))
		if r.URL.RawQuery == "chunked" {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(body)
	}))
	defer backend.Close()
	url := gateway(t, strings.TrimPrefix(backend.URL, "http://"))
	httpClient := &http.Client{Transport: &http.Transport{}}
	defer httpClient.CloseIdleConnections()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i, size := range []int{0, 1, 1000, 9000, 70_000, 600_000, 3} {
				body := bytes.Repeat([]byte{byte('a' + worker*7 + i)}, size)
				for _, how := range []string{"", "?chunked"} {
					var in io.Reader = bytes.NewReader(body)
					if (i+worker)%2 == 0 {
						in = struct{ io.Reader }{in} // its length is not known: chunked
					}
					echo(t, httpClient, url+"/"+how, in, body)
				}
			}
		})
	}
	wg.Wait()
}

func echo(t *testing.T, c *http.Client, url string, in io.Reader, body []byte) {
	answer, err := c.Post(url, "application/x", in)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	sum := sha256.Sum256(body)
	if err != nil || !bytes.Equal(got, body) || answer.Header.Get("X-Sum") != hex.EncodeToString(sum[:]) {
		t.Errorf("%s with %d bytes: %d, %d bytes back, %v", url, len(body), answer.StatusCode, len(got), err)
	}
}

func TestWayTooLarge(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer backend.Close()
	url := gateway(t, strings.TrimPrefix(backend.URL, "http://"))
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := c.Post(url, "a/b", io.LimitReader(zeros{}, exchange.MaxBody+1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if got, _ := io.ReadAll(answer.Body); string(got) != "REQUEST_TOO_LARGE" {
		t.Errorf("got %q", got)
	}
}
