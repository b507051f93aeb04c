package upstream_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"gatehouse/internal/dataplane/integrate/upstream"
)

// clientPair gives both ends of a TCP connection: the client's and the gateway's.
func clientPair(t testing.TB) (client, ours net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(); _ = ours.Close() })
	return client, ours
}

// silent never answers, and reports when the gateway hung up.
func silent(hungUp chan<- struct{}, head string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		readRequest(r)
		_, _ = io.WriteString(c, head)
		_, _ = io.Copy(io.Discard, r)
		hungUp <- struct{}{}
	}
}

func TestAbandon(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
	tests := []struct {
		name, head string
		leave      func(c net.Conn)
	}{
		{"closed", "", func(c net.Conn) { _ = c.Close() }},
		{"reset", "", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() }},
		{"half closed", "", func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() }},
		{"closed with bytes unread", "", func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\n"); _ = c.Close() }},
		{"closed during a stream", chunked, func(c net.Conn) { _ = c.Close() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hungUp := make(chan struct{}, 1)
			b := newBackend(t, silent(hungUp, tt.head))
			w := upstream.NewWatcher()
			defer w.Close()
			u := newUpstream(t, upstream.Config{Watcher: w}, b.addr)
			client, ours := clientPair(t)
			c := newCall("GET", "")
			c.Client = ours
			start := time.Now()
			time.AfterFunc(20*time.Millisecond, func() { tt.leave(client) })
			err := u.Call(c)
			if err == nil {
				_, err = io.ReadAll(c.Response.BodyStream())
			}
			wantKind(t, u, err, upstream.Abandoned)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			<-hungUp
		})
	}
}

func TestAbandonTLSClient(t *testing.T) {
	hungUp := make(chan struct{}, 1)
	b := newBackend(t, silent(hungUp, ""))
	w := upstream.NewWatcher()
	defer w.Close()
	u := newUpstream(t, upstream.Config{Watcher: w}, b.addr)
	client, ours := clientPair(t)
	certs := httptest.NewTLSServer(nil)
	defer certs.Close()
	server := tls.Server(ours, certs.TLS)
	tc := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	shaken := make(chan error, 1)
	go func() { shaken <- tc.Handshake() }()
	if err := errors.Join(server.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = tc.Close() }) // leaves an alert unread before its end
	c := newCall("GET", "")
	c.Client = server
	wantKind(t, u, u.Call(c), upstream.Abandoned)
	<-hungUp
}

func TestClientThatStaysIsLeftAlone(t *testing.T) {
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for readRequest(r) != nil {
			time.Sleep(400 * time.Millisecond)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	w := upstream.NewWatcher()
	defer w.Close()
	u := newUpstream(t, upstream.Config{Watcher: w}, b.addr)
	client, ours := clientPair(t)
	_, _ = io.WriteString(client, "GET /next HTTP/1.1\r\n") // pipelined
	pipe, other := net.Pipe()
	_ = other.Close() // no socket, not watched
	for _, conn := range []net.Conn{ours, pipe, nil} {
		c := newCall("GET", "")
		c.Client = conn
		do(t, u, c)
	}
	if n := b.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestFormerClient: a client that leaves after its answer must not end the next call on the same connection.
func TestFormerClient(t *testing.T) {
	b := newBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for i := 0; readRequest(r) != nil; i++ {
			if i > 0 {
				time.Sleep(500 * time.Millisecond)
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	w := upstream.NewWatcher()
	defer w.Close()
	u := newUpstream(t, upstream.Config{Watcher: w}, b.addr)
	first, ours := clientPair(t)
	_, theirs := clientPair(t)
	c := newCall("GET", "")
	c.Client = ours
	do(t, u, c)
	_ = first.Close()
	time.Sleep(400 * time.Millisecond) // the watcher passes by the idle connection
	c.Client = theirs
	c.Now = time.Now()
	do(t, u, c)
	if !c.Reused {
		t.Error("not the same connection")
	}
}

func TestAbandonDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	w := upstream.NewWatcher()
	defer w.Close()
	// It accepts nothing and speaks no TLS: the handshake waits.
	u := newUpstream(t, upstream.Config{Watcher: w, Servers: []upstream.Server{{Addr: ln.Addr().String(), TLS: true}}})
	client, ours := clientPair(t)
	time.AfterFunc(20*time.Millisecond, func() { _ = client.Close() })
	c := newCall("GET", "")
	c.Client = ours
	start := time.Now()
	wantKind(t, u, u.Call(c), upstream.Abandoned)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}
