package test_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/gatewaytest"
)

// TestIdleConnectionsHoldLittle: a connection that waits for its next request keeps no body of the last one.
func TestIdleConnectionsHoldLittle(t *testing.T) {
	const conns, size = 60, 60_000
	body := strings.Repeat("x", size)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, body)
	}))
	defer backend.Close()
	g := gatewaytest.New(t, gatewaytest.Config(`
apis: {a: {public: true, routes: {"ANY /x": "`+backend.URL+`/x"}}}
`))
	before := int64(heap())
	all := make([]*gatewaytest.Conn, conns)
	for i := range all {
		all[i] = g.Dial()
		all[i].Say("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
		if a, ok := all[i].Hear("GET"); !ok || len(a.Body) != size {
			t.Fatalf("%v %d", ok, len(a.Body))
		}
	}
	var held int64
	g.Eventually(func() bool {
		held = int64(heap()) - before
		return held < conns*size*5/6
	}, "idle connections to let go of %d bodies of %d bytes", conns, size)
	t.Logf("%d bytes a connection", held/conns)
	runtime.KeepAlive(all)
}

// TestBodyHasItsOwnTime: a body may come later than a header may, and a body that will be refused is refused at once.
func TestBodyHasItsOwnTime(t *testing.T) {
	t.Parallel()
	b := newRecorder(t)
	g := newGateway(t, "header_timeout: 300ms, body_timeout: 5s", `apis: {a: {public: true, routes: {"ANY /{p+}": "`+b.URL+`/{p}"}}}`)
	c := g.Dial()
	c.Say("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n")
	time.Sleep(900 * time.Millisecond)
	c.Say("hello")
	if a, ok := c.Hear("POST"); !ok || a.Status != 200 {
		t.Errorf("late body: %v %+v", ok, a)
	}
	c = g.Dial()
	c.Say("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11000000\r\n\r\n")
	if a, ok := c.Hear("POST"); !ok || a.Status != 413 {
		t.Errorf("too large a body, announced: %v %+v", ok, a)
	}
}
