package upstream_test

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/dataplane/integrate/upstream"
)

// echoless answers whatever arrives with the same bytes, without allocating. A request must arrive in one piece.
func echoless(answer string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, _ *bufio.Reader) {
		in, out := make([]byte, 4096), []byte(answer)
		for {
			if _, err := c.Read(in); err != nil {
				return
			}
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}
}

const smallAnswer = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: application/json\r\nX-Request: 12\r\nContent-Length: 14\r\n\r\n{\"name\":\"cat\"}"

func BenchmarkCall(b *testing.B) {
	long := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 1000000)
	tests := []struct {
		name, method, body, answer string
		deadline                   time.Duration
		watched                    bool
	}{
		{"get", "GET", "", smallAnswer, 0, false},
		{"get watched", "GET", "", smallAnswer, 0, true},
		{"get deadline 29s", "GET", "", smallAnswer, 29 * time.Second, false},
		{"get deadline 900ms", "GET", "", smallAnswer, 900 * time.Millisecond, false},
		{"get watched deadline 29s", "GET", "", smallAnswer, 29 * time.Second, true},
		{"post", "POST", "name=cat", smallAnswer, 29 * time.Second, true},
		{"chunked", "GET", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 29 * time.Second, true},
		{"1 MB", "GET", "", long, 29 * time.Second, true},
	}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			be := newBackend(b, echoless(tt.answer))
			var w *upstream.Watcher
			_, ours := clientPair(b)
			c := newCall(tt.method, tt.body)
			if tt.watched {
				w = upstream.NewWatcher()
				defer w.Close()
				c.Client = ours
			}
			u := newUpstream(b, upstream.Config{Watcher: w}, be.addr)
			b.ReportAllocs()
			for b.Loop() {
				c.Deadline = time.Time{}
				c.Now = time.Now()
				if tt.deadline > 0 {
					c.Deadline = c.Now.Add(tt.deadline)
				}
				if err := u.Call(c); err != nil {
					b.Fatal(err)
				}
				if c.Response.IsBodyStream() {
					if err := c.Response.BodyWriteTo(io.Discard); err != nil {
						b.Fatal(err)
					}
				}
			}
			runtime.KeepAlive(u)
		})
	}
}
