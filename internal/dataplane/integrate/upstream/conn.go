package upstream

import (
	"bufio"
	"net"
	"syscall"
	"time"
)

// conn is one connection to a server. It belongs to one call, or to the server's idle ones; only watch is shared.
type conn struct {
	srv   *server
	nc    net.Conn
	raw   syscall.RawConn // nil when nc has no socket
	probe *probe
	watch watch
	buf   *buffers // while a call is under way

	armed  time.Duration // the deadline set on nc, since Upstream.base; 0 is none
	reused bool
	cut    bool // the request was not sent whole

	// While idle: since when as the sweep saw it, and whether something makes us look before the next use.
	seen    time.Time
	suspect bool

	in, out int64 // of this call
	werr    error // what the last write failed with
}

// buffers are lent to a connection for the time of a call.
type buffers struct {
	r *bufio.Reader
	w *bufio.Writer
}

// Read counts.
func (cn *conn) Read(p []byte) (int, error) {
	n, err := cn.nc.Read(p)
	cn.in += int64(n)
	return n, err
}

// Write counts, and keeps the error apart from those of the body's stream.
func (cn *conn) Write(p []byte) (int, error) {
	n, err := cn.nc.Write(p)
	cn.out += int64(n)
	if err != nil {
		cn.werr = err
	}
	return n, err
}

// start makes the connection ready for a call; false means that the client is gone.
func (cn *conn) start(client net.Conn, deadline time.Duration) bool {
	cn.in, cn.out, cn.werr, cn.cut = 0, 0, nil, false
	cn.seen, cn.suspect = time.Time{}, false
	w := &cn.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return false
	}
	w.client, w.since = client, cn.srv.up.cfg.Watcher.now()
	if deadline == cn.armed {
		return true
	}
	// Setting a deadline moves a timer of the runtime; a coarse deadline is often the one that is set already.
	var at time.Time
	if deadline != 0 {
		at = cn.srv.up.base.Add(deadline)
	}
	if cn.nc.SetDeadline(at) == nil {
		cn.armed = deadline
	}
	return true
}

// startDial lets the watcher end a dial.
func (cn *conn) startDial(client net.Conn, cancel func()) {
	w := &cn.watch
	w.mu.Lock()
	w.client, w.cancel, w.since = client, cancel, cn.srv.up.cfg.Watcher.now()
	w.mu.Unlock()
}

// connected ends the dial.
func (cn *conn) connected(nc net.Conn) {
	w := &cn.watch
	w.mu.Lock()
	cn.nc, w.cancel = nc, nil
	w.mu.Unlock()
	cn.raw, cn.probe = rawOf(nc), newProbe()
}

// end stops watching; true means that the watcher has ended the call.
func (cn *conn) end() bool {
	w := &cn.watch
	w.mu.Lock()
	w.client = nil
	gone := w.gone
	w.mu.Unlock()
	return gone
}

func (cn *conn) isGone() bool {
	w := &cn.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

// stale reports whether an idle connection must not be used: closed by the server, or holding bytes nobody asked for.
func (cn *conn) stale() bool { return cn.probe.of(cn.raw) != quiet }
