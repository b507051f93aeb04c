package upstream

import (
	"bufio"
	"crypto/x509"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Server is one server of an upstream.
type Server struct {
	// Addr is host:port; an IPv6 host stands in brackets.
	Addr string
	// TLS: the server speaks HTTPS.
	TLS bool
}

// Config describes an Upstream. Every zero value but Servers means the default.
type Config struct {
	// Name is for people: the backend's host in the definition.
	Name string
	// Servers are used round robin.
	Servers []Server
	// ServerName is sent as SNI and verified; default: the host of each server's Addr.
	ServerName string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
	// RootCAs verify the servers' certificates; default: the system's.
	RootCAs *x509.CertPool
	// MaxConns bounds the open connections to one server; default 1024.
	MaxConns int
	// MaxIdle bounds those of them that are kept for later; default MaxConns.
	MaxIdle int
	// IdleTimeout is how long a connection is kept unused; default 60 s. It should be less than the servers' own.
	IdleTimeout time.Duration
	// DialTimeout bounds name lookup, connecting and the TLS handshake together; default 10 s.
	DialTimeout time.Duration
	// MaxResponseHeader bounds the status line and headers of an answer in bytes; default 16 KiB, at least 1 KiB.
	MaxResponseHeader int
	// MaxBuffered is the largest body, in bytes, that is read into the Response at once; longer ones, and those of
	// unknown length, are streamed. Default 64 KiB.
	MaxBuffered int
	// Watcher abandons calls whose client went away; nil watches none.
	Watcher *Watcher
}

// withDefaults fills in what is zero.
func (cfg Config) withDefaults() Config {
	setDefault(&cfg.MaxConns, 1024)
	setDefault(&cfg.MaxIdle, cfg.MaxConns)
	setDefault(&cfg.IdleTimeout, 60*time.Second)
	setDefault(&cfg.DialTimeout, 10*time.Second)
	setDefault(&cfg.MaxResponseHeader, 16<<10)
	setDefault(&cfg.MaxBuffered, 64<<10)
	cfg.MaxResponseHeader = max(cfg.MaxResponseHeader, 1<<10)
	return cfg
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// Upstream is the group of servers behind one backend host. It is safe for concurrent use.
type Upstream struct {
	cfg      Config
	base     time.Time // deadlines are counted from here
	servers  []server
	turn     atomic.Uint32
	dialer   net.Dialer
	counters counters
	sweeper  sweeper
	buffers  sync.Pool
	bodies   sync.Pool
}

// New makes an Upstream. It connects to nothing until it is called.
func New(cfg Config) *Upstream {
	u := &Upstream{cfg: cfg.withDefaults(), base: time.Now(), servers: make([]server, len(cfg.Servers))} //nolint:forbidigo // once, when the pool is made
	for i, s := range u.cfg.Servers {
		u.servers[i].init(u, s)
	}
	u.sweeper.sweep = u.sweep
	u.sweeper.every = min(max(u.cfg.IdleTimeout/8, time.Millisecond), 250*time.Millisecond)
	u.buffers.New = func() any {
		return &buffers{r: bufio.NewReaderSize(nil, u.cfg.MaxResponseHeader), w: bufio.NewWriterSize(nil, 4<<10)}
	}
	u.bodies.New = func() any { return new(body) }
	return u
}

// Close closes the idle connections and the background sweep. Calls under way finish, and their connections close after
// that; a call that begins later works too, on a connection of its own.
func (u *Upstream) Close() {
	u.sweeper.close()
	for i := range u.servers {
		for _, cn := range u.servers[i].close() {
			cn.srv.drop(cn)
		}
	}
}

// Call sends c.Request to a server and reads the answer into c.Response. The error is nil or a *Failure.
//
// An answer whose length is known and at most MaxBuffered is read whole. Any other has a body stream: its Read gives
// a *Failure (one that is io.ErrUnexpectedEOF when the backend closed) when the body is cut short; its connection is free
// again once it was read to the end, and is closed when the stream is closed before. The stream must be read to the end or
// closed, not by two goroutines at once. Trailers of a chunked body are read and dropped.
//
// Any status from 200 on is a success. Interim answers are skipped. The backend's "Connection: close" is taken off the
// answer, as it speaks of this connection only; so is "Trailer". An answer without a body (to HEAD, 204, 304) leaves
// Response.SkipBody as it was, so what is written to the client depends on the client's method alone.
//
// A server that cannot be connected to makes way for the next. A call is sent again, once and on a new connection, only
// when an idle connection turned out to be closed before any byte of an answer, and either the method is idempotent
// and the body no stream, or nothing was written at all.
func (u *Upstream) Call(c *Call) error {
	u.counters.calls.Add(1)
	c.begin()
	err := u.try(c, false)
	if err != nil && c.retry {
		u.counters.retries.Add(1)
		err = u.try(c, true)
	}
	if err != nil {
		u.counters.failures[c.failure.Kind].Add(1)
	}
	return err
}

// try makes the call once; fresh asks for a new connection.
func (u *Upstream) try(c *Call, fresh bool) error {
	cn, err := u.connect(c, fresh)
	if err != nil {
		return err
	}
	c.Reused = cn.reused
	cn.buf = u.buffers.Get().(*buffers)
	cn.buf.r.Reset(cn)
	cn.buf.w.Reset(cn)
	then := closes
	if err = u.send(c, cn); err == nil {
		then, err = u.receive(c, cn)
	}
	c.BytesOut, c.BytesIn = cn.out, cn.in
	if err != nil {
		then = closes
		c.retry = !fresh && cn.reused && cn.in == 0 && c.failure.Kind == Reset &&
			(c.repeats || cn.out == 0 && !c.streamed)
	}
	if then != streams {
		u.release(cn, then == returns)
	}
	return err
}

// connect takes an idle connection or makes one, going through the servers in turn.
func (u *Upstream) connect(c *Call, fresh bool) (*conn, error) {
	if !c.Now.IsZero() && !c.Deadline.IsZero() && !c.Deadline.After(c.Now) {
		return nil, c.fail(Timeout, errPassed)
	}
	n := uint32(len(u.servers))
	var first uint32
	if n > 1 {
		first = u.turn.Add(1) % n
	}
	var err error
	for i := range n {
		s := &u.servers[(first+i)%n]
		c.Server = s.addr
		var cn *conn
		if !fresh {
			cn = s.take(!c.repeats)
		}
		if cn == nil {
			if cn, err = s.dial(c, fresh); err != nil {
				if k := c.failure.Kind; k == Abandoned || k == Timeout && passed(c.Deadline) {
					return nil, err
				}
				continue
			}
		}
		if !cn.start(c.Client, u.deadline(c)) {
			s.drop(cn)
			return nil, c.fail(Abandoned, nil)
		}
		return cn, nil
	}
	if err == nil {
		err = c.fail(Refused, errNoServers)
	}
	return nil, err
}

func passed(deadline time.Time) bool { return !deadline.IsZero() && time.Until(deadline) <= 0 }

// deadlineGrid is what far deadlines are rounded up to, so that calls in quick succession share one.
const deadlineGrid = 100 * time.Millisecond

// deadline gives the call's deadline since u.base, 0 for none.
func (u *Upstream) deadline(c *Call) time.Duration {
	if c.Deadline.IsZero() {
		return 0
	}
	at := max(c.Deadline.Sub(u.base), 1)
	if !c.Now.IsZero() && c.Deadline.Sub(c.Now) >= time.Second {
		at = (at + deadlineGrid - 1) / deadlineGrid * deadlineGrid
	}
	return at
}

// release ends the call on cn and keeps the connection if it may be used again.
func (u *Upstream) release(cn *conn, reuse bool) {
	clean := cn.buf.r.Buffered() == 0 // else bytes that no request asked for
	u.buffers.Put(cn.buf)
	cn.buf = nil
	if cn.end() || !reuse || !clean {
		cn.srv.drop(cn)
		return
	}
	cn.srv.put(cn)
}
