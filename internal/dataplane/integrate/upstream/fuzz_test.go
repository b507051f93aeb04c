package upstream_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"gatehouse/internal/dataplane/integrate/upstream"
)

// FuzzAnswer gives any bytes as the backend's answer: a call ends, does not panic, and leaves its connection idle or
// closed; what is left idle serves again.
func FuzzAnswer(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, seed := range []string{
		"", ok + "Content-Length: 2\r\n\r\nok", ok + "Content-Length: 99\r\n\r\nok", ok + "\r\nuntil close",
		ok + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n", ok + "A: b\r\n c\r\nTrailer: X\r\nContent-Length: 1\r\n\r\na", ok + "A: b\n\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	answers := make(chan []byte, 1)
	b := newBackend(f, func(_ int, c net.Conn, r *bufio.Reader) {
		if readRequest(r) == nil {
			return
		}
		_, _ = c.Write(<-answers)
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, r)
	})
	f.Fuzz(func(t *testing.T, answer []byte, head bool) {
		u := upstream.New(upstream.Config{Servers: []upstream.Server{{Addr: b.addr}}, MaxBuffered: 16, MaxResponseHeader: 1024})
		method := "POST"
		if head {
			method = "HEAD"
		}
		c := newCall(method, "")
		c.Deadline = c.Now.Add(3 * time.Second)
		answers <- answer
		err := u.Call(c)
		if err == nil && c.Response.IsBodyStream() {
			_, err = io.Copy(io.Discard, struct{ io.Reader }{c.Response.BodyStream()})
			_ = c.Response.CloseBodyStream()
		}
		if k := upstream.KindOf(err); err != nil && k != upstream.Reset && k != upstream.Malformed {
			t.Errorf("%q: %v", answer, err)
		}
		if s := u.Stats(); s.Open != s.Idle {
			t.Errorf("%q: %+v", answer, s)
		}
		u.Close()
		if s := u.Stats(); s.Open != 0 {
			t.Errorf("%q: after Close %+v", answer, s)
		}
	})
}
