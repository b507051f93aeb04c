//go:build !race

package upstream_test

import (
	"io"
	"testing"
	"time"

	"gatehouse/internal/dataplane/integrate/upstream"
)

// Not under the race detector, which makes sync.Pool forget at random.
func TestNoAllocations(t *testing.T) {
	tests := []struct {
		name, method, body, answer string
		max                        float64
	}{
		{"get", "GET", "", smallAnswer, 0},
		{"post", "POST", "name=cat", smallAnswer, 0},
		{"chunked answer", "GET", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, echoless(tt.answer))
			w := upstream.NewWatcher()
			defer w.Close()
			u := newUpstream(t, upstream.Config{Watcher: w}, b.addr)
			_, ours := clientPair(t)
			c := newCall(tt.method, tt.body)
			c.Client = ours
			var failed error
			allocs := testing.AllocsPerRun(2000, func() {
				c.Now = c.Now.Add(time.Millisecond)
				c.Deadline = c.Now.Add(29 * time.Second)
				if err := u.Call(c); err != nil {
					failed = err
				}
				if c.Response.IsBodyStream() {
					if err := c.Response.BodyWriteTo(io.Discard); err != nil {
						failed = err
					}
				}
				c.Response.Reset()
				c.Response.Header.DisableNormalizing()
			})
			if failed != nil {
				t.Fatal(failed)
			}
			if allocs > tt.max {
				t.Errorf("%v allocations per call", allocs)
			}
		})
	}
}
