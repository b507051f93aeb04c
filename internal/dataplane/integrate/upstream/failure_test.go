package upstream_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/dataplane/integrate/upstream"
)

// wantKind fails unless err is of kind k, and was counted once.
func wantKind(t *testing.T, u *upstream.Upstream, err error, k upstream.Kind) {
	t.Helper()
	var f *upstream.Failure
	if !errors.Is(err, k) || upstream.KindOf(err) != k || !errors.As(err, &f) || f.Kind != k {
		t.Fatalf("got %v, want %v", err, k)
	}
	for _, other := range upstream.Kinds() {
		want := uint64(0)
		if other == k {
			want = 1
		}
		if n := u.Stats().Failed(other); n != want {
			t.Errorf("%v counted %d times", other, n)
		}
	}
	if s := u.Stats(); s.Open != s.Idle {
		t.Errorf("a connection is left: %+v", s)
	}
}

func TestFailuresOfTheHead(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name, answer string
		kind         upstream.Kind
	}{
		{"nothing", "", upstream.Reset},
		{"cut in the head", ok + "Content-Le", upstream.Reset},
		{"cut in a short body", ok + "Content-Length: 5\r\n\r\nabc", upstream.Reset},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", upstream.Malformed},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", upstream.Malformed},
		{"binary", "\x15\x03\x01\x00\x02\x02\x16", upstream.Malformed},
		{"empty lines first", "\r\n\r\n" + ok + "\r\n", upstream.Malformed},
		{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", upstream.Malformed},
		{"status 099", "HTTP/1.1 099 No\r\n\r\n", upstream.Malformed},
		{"only bare LF", "HTTP/1.1 200 OK\nA: b\n\n", upstream.Malformed},
		{"bare LF ends the head early", ok + "A: b\n\nB: c\r\n\r\n", upstream.Malformed},
		{"name with a space", ok + "A b: c\r\nContent-Length: 0\r\n\r\n", upstream.Malformed},
		{"line without colon", ok + "Content-Length 0\r\n\r\n", upstream.Malformed},
		{"NUL in a value", ok + "A: \x00\r\nContent-Length: 0\r\n\r\n", upstream.Malformed},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", upstream.Malformed},
		{"list of lengths", ok + "Content-Length: 1, 2\r\n\r\nab", upstream.Malformed},
		{"negative length", ok + "Content-Length: -1\r\n\r\n", upstream.Malformed},
		{"endless length", ok + "Content-Length: 99999999999999999999\r\n\r\n", upstream.Malformed},
		{"length, then chunked", ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", upstream.Malformed},
		{"chunked, then length", ok + "transfer-encoding: chunked\r\ncontent-length : 1\r\n\r\n0\r\n\r\n", upstream.Malformed},
		{"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", upstream.Malformed},
		{"unknown coding", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", upstream.Malformed},
		{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", upstream.Malformed},
		{"upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", upstream.Malformed},
		{"endless interim", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20), upstream.Malformed},
		{"head over the bound, ended", ok + "A: " + strings.Repeat("a", 2048) + "\r\n\r\n", upstream.Malformed},
		{"head over the bound, endless", ok + strings.Repeat("A: b\r\n", 5000), upstream.Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, once(tt.answer))
			u := newUpstream(t, upstream.Config{MaxResponseHeader: 2048}, b.addr)
			c := newCall("GET", "")
			err := u.Call(c)
			wantKind(t, u, err, tt.kind)
			if !c.Sent || !strings.Contains(err.Error(), b.addr) {
				t.Errorf("sent %v, error %q", c.Sent, err)
			}
			if len(tt.answer) > 60 && strings.Contains(err.Error(), tt.answer[20:40]) {
				t.Errorf("the error quotes the answer: %q", err)
			}
		})
	}
}

func TestFailuresOfTheBody(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct {
		name, answer string
		kind         upstream.Kind
		cut          bool
	}{
		{"cut", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc", upstream.Reset, true},
		{"cut in a chunk", chunked + "5\r\nabc", upstream.Reset, true},
		{"cut between chunks", chunked + "3\r\nabc\r\n", upstream.Reset, true},
		{"cut before the trailers' end", chunked + "3\r\nabc\r\n0\r\n", upstream.Reset, true},
		{"no size", chunked + "\r\nabc", upstream.Malformed, false},
		{"not hexadecimal", chunked + "3\r\nabc\r\nxyz\r\n", upstream.Malformed, false},
		{"sign", chunked + "+3\r\nabc\r\n0\r\n\r\n", upstream.Malformed, false},
		{"prefix", chunked + "0x3\r\nabc\r\n0\r\n\r\n", upstream.Malformed, false},
		{"too large", chunked + "fffffffffffffffff\r\nabc", upstream.Malformed, false},
		{"too large, with an extension", chunked + "fffffffffffffffff;x\r\nabc", upstream.Malformed, false},
		{"longer than its size", chunked + "2\r\nabc\r\n0\r\n\r\n", upstream.Malformed, false},
		{"bare LF after size", chunked + "3\nabc\r\n0\r\n\r\n", upstream.Malformed, false},
		{"bare CR in extension", chunked + "3;a\rb\r\nabc\r\n0\r\n\r\n", upstream.Malformed, false},
		{"endless extension", chunked + "3;" + strings.Repeat("a", 5000), upstream.Malformed, false},
		{"endless trailers", chunked + "0\r\n" + strings.Repeat("A: b\r\n", 5000), upstream.Malformed, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, once(tt.answer))
			u := newUpstream(t, upstream.Config{MaxResponseHeader: 2048}, b.addr)
			c := newCall("GET", "")
			if err := u.Call(c); err != nil {
				t.Fatal(err)
			}
			_, err := io.ReadAll(c.Response.BodyStream())
			wantKind(t, u, err, tt.kind)
			if errors.Is(err, io.ErrUnexpectedEOF) != tt.cut {
				t.Errorf("cut: %v", err)
			}
			if _, again := c.Response.BodyStream().Read(make([]byte, 9)); !errors.Is(again, tt.kind) {
				t.Errorf("read after the failure: %v", again)
			}
			if err := c.Response.CloseBodyStream(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	tests := []struct {
		name    string
		servers []string
	}{
		{"down", []string{closedAddr(t), closedAddr(t)}},
		{"unknown name", []string{"no-such-host.invalid:80"}},
		{"no port", []string{"127.0.0.1"}},
		{"none", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := newUpstream(t, upstream.Config{}, tt.servers...)
			c := newCall("GET", "")
			err := u.Call(c)
			wantKind(t, u, err, upstream.Refused)
			if c.Sent || int(u.Stats().Dials) != len(tt.servers) {
				t.Errorf("sent %v, %d dials", c.Sent, u.Stats().Dials)
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	tests := []struct {
		name, answer string
		timeout      time.Duration
		exact        bool // without Now
		late         time.Duration
	}{
		{"head", "HTTP/1.1 200", 60 * time.Millisecond, false, 20 * time.Millisecond},
		{"body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", 60 * time.Millisecond, false, 20 * time.Millisecond},
		{"stream", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na", 60 * time.Millisecond, false, 20 * time.Millisecond},
		{"far", "", 1050 * time.Millisecond, false, 250 * time.Millisecond},
		{"far and exact", "", 1050 * time.Millisecond, true, 20 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
				readRequest(r)
				_, _ = io.WriteString(c, tt.answer)
				readRequest(r)
			})
			u := newUpstream(t, upstream.Config{}, b.addr)
			c := newCall("GET", "")
			start := time.Now()
			c.Now, c.Deadline = start, start.Add(tt.timeout)
			if tt.exact {
				c.Now = time.Time{}
			}
			err := u.Call(c)
			if err == nil {
				_, err = io.ReadAll(c.Response.BodyStream())
			}
			took := time.Since(start)
			wantKind(t, u, err, upstream.Timeout)
			// A busy machine adds to the delay what no code here can help.
			if took < tt.timeout || took > tt.timeout+tt.late+200*time.Millisecond {
				t.Errorf("ended after %v", took)
			}
		})
	}
}

func TestDeadlinePassedBefore(t *testing.T) {
	u := newUpstream(t, upstream.Config{}, closedAddr(t))
	c := newCall("GET", "")
	c.Deadline = c.Now
	wantKind(t, u, u.Call(c), upstream.Timeout)
	if u.Stats().Dials != 0 {
		t.Error("dialed all the same")
	}
}

func TestDeadlineMovesWithEachCall(t *testing.T) {
	b := newBackend(t, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	u := newUpstream(t, upstream.Config{}, b.addr)
	// The first deadline passes while the connection is idle, and must not touch the later calls.
	for _, timeout := range []time.Duration{30 * time.Millisecond, time.Second, 0, 500 * time.Millisecond} {
		c := newCall("GET", "")
		c.Deadline = c.Now.Add(timeout)
		if timeout == 0 {
			c.Deadline = time.Time{}
		}
		if _, body := do(t, u, c); body != "ok" {
			t.Error(body)
		}
		time.Sleep(60 * time.Millisecond)
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestMaxConns(t *testing.T) {
	release := make(chan struct{})
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for readRequest(r) != nil {
			<-release
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	u := newUpstream(t, upstream.Config{MaxConns: 2, MaxIdle: 1}, b.addr)
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- u.Call(newCall("GET", "")) }()
	}
	eventually(t, "two connections", func() bool { return b.conns.Load() == 2 })
	if err := u.Call(newCall("GET", "")); !errors.Is(err, upstream.Exhausted) {
		t.Errorf("got %v", err)
	}
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if s := u.Stats(); s.Open != 1 || s.Idle != 1 {
		t.Errorf("kept more than MaxIdle: %+v", s)
	}
	do(t, u, newCall("GET", ""))
}

func TestClientBodyFails(t *testing.T) {
	broken := errors.New("client broke off")
	tests := []struct {
		name   string
		body   io.Reader
		length int
	}{
		{"error", io.MultiReader(strings.NewReader("abc"), errReader{broken}), 10},
		{"error in chunks", io.MultiReader(strings.NewReader("abc"), errReader{broken}), -1},
		{"too short", strings.NewReader("abc"), 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			u := newUpstream(t, upstream.Config{}, b.addr)
			c := newCall("PUT", "")
			c.Request.SetBodyStream(tt.body, tt.length)
			wantKind(t, u, u.Call(c), upstream.ClientBody)
		})
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestUnsendable(t *testing.T) {
	b := newBackend(t, always(""))
	u := newUpstream(t, upstream.Config{}, b.addr)
	c := newCall("GET", "")
	c.Request.Header.SetHost("")
	wantKind(t, u, u.Call(c), upstream.Unsendable)
}

func TestEarlyAnswer(t *testing.T) {
	const answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		_, _ = r.Peek(1000)
		_, _ = io.WriteString(c, answer)
	})
	u := newUpstream(t, upstream.Config{}, b.addr)
	for _, streamed := range []bool{false, true} {
		c := newCall("POST", strings.Repeat("x", 20<<20))
		if streamed {
			c.Request.SetBodyStream(bytes.NewReader(make([]byte, 20<<20)), 20<<20)
		}
		if status, body := do(t, u, c); status != 413 || body != "big" {
			t.Errorf("got %d %q", status, body)
		}
		if s := u.Stats(); s.Open != 0 {
			t.Errorf("the connection was kept with half a request in it: %+v", s)
		}
	}
}

// TestIdleConnectionThatDies: the server takes the second request on a connection and closes without an answer.
func TestIdleConnectionThatDies(t *testing.T) {
	tests := []struct {
		method, body string
		stream       bool
		retried      bool
	}{
		{"GET", "", false, true},
		{"DELETE", "", false, true},
		{"PUT", "abc", false, true},
		{"PUT", "abc", true, false},
		{"POST", "abc", false, false},
		{"PATCH", "abc", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.method, func(t *testing.T) {
			sums := make(chan string, 9)
			b := newBackend(t, func(n int, c net.Conn, r *bufio.Reader) {
				for i := 1; ; i++ {
					req := readRequest(r)
					if req == nil || n == 1 && i == 2 {
						return
					}
					sum := sha256.Sum256([]byte(req.Method + req.RequestURI))
					sums <- hex.EncodeToString(sum[:])
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			})
			u := newUpstream(t, upstream.Config{}, b.addr)
			c := newCall(tt.method, tt.body)
			do(t, u, c)
			if tt.stream {
				c.Request.SetBodyStream(strings.NewReader(tt.body), len(tt.body))
			}
			err := u.Call(c)
			if !tt.retried {
				wantKind(t, u, err, upstream.Reset)
				if len(sums) != 1 {
					t.Errorf("answered %d times", len(sums))
				}
				return
			}
			if err != nil || u.Stats().Retries != 1 || c.Reused {
				t.Fatalf("%v, %d retries, reused %v", err, u.Stats().Retries, c.Reused)
			}
			if first, second := <-sums, <-sums; first != second {
				t.Error("the retry sent something else")
			}
		})
	}
}

func TestNoSecondRetry(t *testing.T) {
	b := newBackend(t, func(n int, c net.Conn, r *bufio.Reader) {
		if readRequest(r); n == 1 {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			readRequest(r)
		}
	})
	u := newUpstream(t, upstream.Config{}, b.addr)
	do(t, u, newCall("GET", ""))
	wantKind(t, u, u.Call(newCall("GET", "")), upstream.Reset)
	if s := u.Stats(); s.Retries != 1 || s.Dials != 2 {
		t.Errorf("stats: %+v", s)
	}
}

// TestIdleConnectionThatDied: the server closed while the connection was idle, so that even a POST is safe elsewhere.
func TestIdleConnectionThatDied(t *testing.T) {
	closing := make(chan struct{}, 1)
	b := newBackend(t, func(n int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		if n == 1 {
			_ = c.Close()
			closing <- struct{}{}
			return
		}
		readRequest(r)
	})
	u := newUpstream(t, upstream.Config{}, b.addr)
	do(t, u, newCall("POST", "a"))
	<-closing
	do(t, u, newCall("POST", "b"))
	if s := u.Stats(); s.Retries != 0 || s.Dials != 2 {
		t.Errorf("stats: %+v", s)
	}
}

func TestIdleConnectionsAreSweptUp(t *testing.T) {
	t.Run("unused for too long", func(t *testing.T) {
		b := newBackend(t, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		u := newUpstream(t, upstream.Config{IdleTimeout: 80 * time.Millisecond}, b.addr)
		do(t, u, newCall("GET", ""))
		if u.Stats().Idle != 1 {
			t.Error("not kept")
		}
		eventually(t, "no connection", func() bool { return u.Stats().Open == 0 })
		do(t, u, newCall("GET", ""))
		eventually(t, "no connection, again", func() bool { return u.Stats().Open == 0 })
	})
	t.Run("closed by the server", func(t *testing.T) {
		b := newBackend(t, once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		u := newUpstream(t, upstream.Config{}, b.addr)
		do(t, u, newCall("GET", ""))
		eventually(t, "no connection", func() bool { return u.Stats().Open == 0 })
	})
}

func TestUnaskedBytesAreNoAnswer(t *testing.T) {
	b := newBackend(t, func(n int, c net.Conn, r *bufio.Reader) {
		for readRequest(r) != nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
			if n == 1 { // a body in the answer to HEAD
				time.Sleep(20 * time.Millisecond)
				_, _ = io.WriteString(c, "HTTP/1.1 299 Smuggled\r\nContent-Length: 0\r\n\r\n")
			} else {
				_, _ = io.WriteString(c, "ok")
			}
		}
	})
	u := newUpstream(t, upstream.Config{}, b.addr)
	do(t, u, newCall("HEAD", ""))
	time.Sleep(60 * time.Millisecond)
	if status, body := do(t, u, newCall("GET", "")); status != 200 || body != "ok" {
		t.Errorf("got %d %q", status, body)
	}
}

func TestCloseLetsCallsFinish(t *testing.T) {
	release := make(chan struct{})
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for readRequest(r) != nil {
			<-release
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	u := upstream.New(upstream.Config{Servers: []upstream.Server{{Addr: b.addr}}})
	done := make(chan error)
	go func() { done <- u.Call(newCall("GET", "")) }()
	eventually(t, "a call", func() bool { return b.conns.Load() == 1 })
	u.Close()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s := u.Stats(); s.Open != 0 {
		t.Errorf("%d connections left", s.Open)
	}
}

func TestNoDescriptorIsLeft(t *testing.T) {
	descriptors := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here")
		}
		return len(list)
	}
	b := newBackend(t, always("SSH-2.0-OpenSSH\r\n"))
	u := newUpstream(t, upstream.Config{}, b.addr, closedAddr(t))
	_ = u.Call(newCall("GET", "")) // opens what the runtime keeps
	before := descriptors()
	for range 100 {
		if err := u.Call(newCall("GET", "")); !errors.Is(err, upstream.Malformed) {
			t.Fatalf("got %v", err)
		}
	}
	// The backend's side closes by itself.
	eventually(t, "as many descriptors as before", func() bool { return descriptors() <= before+1 })
}
