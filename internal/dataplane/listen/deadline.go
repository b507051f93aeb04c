package listen

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// deadlines ends reads and writes that take too long. Setting a deadline on a socket moves a runtime timer, three times
// a request; here it is a store, and one goroutine looks at all connections every half second.
type deadlines struct {
	write time.Duration
	mu    sync.Mutex
	conns map[*conn]struct{}
	quit  chan struct{}
	once  sync.Once
}

// sweepEvery is how late a deadline may be kept at most.
const sweepEvery = 500 * time.Millisecond

func newDeadlines(write time.Duration) *deadlines {
	d := &deadlines{write: write, conns: map[*conn]struct{}{}, quit: make(chan struct{})}
	go d.run()
	return d
}

func (d *deadlines) stop() { d.once.Do(func() { close(d.quit) }) }

func (d *deadlines) run() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.quit:
			return
		case now := <-tick.C:
			d.sweep(now.UnixNano())
		}
	}
}

func (d *deadlines) sweep(now int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.expire(now, d.write)
	}
}

func (d *deadlines) add(c *conn) {
	d.mu.Lock()
	d.conns[c] = struct{}{}
	d.mu.Unlock()
}

func (d *deadlines) remove(c *conn) {
	d.mu.Lock()
	delete(d.conns, c)
	d.mu.Unlock()
}

// listener makes every accepted connection a conn.
type listener struct {
	net.Listener
	server *Server
}

// Accept is called by one goroutine.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // fasthttp compares it
	}
	l.server.accepted.Add(1)
	out := &conn{Conn: c, deadlines: l.server.deadlines}
	l.server.deadlines.add(out)
	return out, nil
}

// conn keeps its read deadline as a number, and lets the sweep see whether a write makes progress.
type conn struct {
	net.Conn
	deadlines *deadlines
	// read is in nanoseconds since 1970, 0 for none. fired says that the socket's own deadline was set to the past; mu
	// is held while that changes.
	read  atomic.Int64
	fired atomic.Bool
	mu    sync.Mutex
	// writes counts beginnings and ends of writes: odd while one is under way.
	writes atomic.Uint64
	// seen and stalled are the sweep's own.
	seen    uint64
	stalled time.Duration
	closed  atomic.Bool
}

// writePiece is how much of a large write has to pass at least within the write timeout.
const writePiece = 256 << 10

// NetConn gives the connection underneath, for those who need its socket.
func (c *conn) NetConn() net.Conn { return c.Conn }

// SetDeadline sets the read deadline; writes are bounded by their progress.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline does nothing.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline takes effect at the next sweep after t.
func (c *conn) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		c.read.Store(0)
	} else {
		c.read.Store(t.UnixNano())
	}
	if !c.fired.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fired.Store(false)
	return c.Conn.SetReadDeadline(time.Time{}) //nolint:wrapcheck // fasthttp compares it
}

// Write writes in pieces, so that progress can be seen.
func (c *conn) Write(p []byte) (int, error) {
	done := 0
	for {
		piece := p[done:]
		if len(piece) > writePiece {
			piece = piece[:writePiece]
		}
		c.writes.Add(1)
		n, err := c.Conn.Write(piece)
		c.writes.Add(1)
		done += n
		if err != nil || done == len(p) {
			return done, err //nolint:wrapcheck // fasthttp compares it
		}
	}
}

// Close may be called more than once.
func (c *conn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.deadlines.remove(c)
	}
	return c.Conn.Close() //nolint:wrapcheck // fasthttp compares it
}

var past = time.Unix(1, 0)

// expire wakes a read whose time is over and a write that does not get on.
func (c *conn) expire(now int64, writeTimeout time.Duration) {
	if d := c.read.Load(); d != 0 && now > d {
		c.expireRead(d)
	}
	w := c.writes.Load()
	if w&1 == 0 || w != c.seen {
		c.seen, c.stalled = w, 0
		return
	}
	if c.stalled += sweepEvery; c.stalled > writeTimeout {
		_ = c.Conn.SetWriteDeadline(past)
	}
}

// expireRead sets the socket's deadline unless the connection moved on meanwhile.
func (c *conn) expireRead(deadline int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fired.Store(true)
	if c.read.Load() != deadline {
		c.fired.Store(false)
		return
	}
	_ = c.Conn.SetReadDeadline(past)
}
