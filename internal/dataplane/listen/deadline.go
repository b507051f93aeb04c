package listen

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/dataplane/exchange"
)

// timeouts are how long a connection may stay in one phase.
type timeouts struct{ idle, header, body, write time.Duration }

// deadlines ends connections that take too long. Setting a deadline on a socket reads the clock and moves a timer, three
// times a request; here a connection only counts what it does, and one goroutine looks at all of them every half second:
// one whose count stands still grows older.
type deadlines struct {
	timeouts timeouts
	mu       sync.Mutex // guards conns
	conns    map[*conn]struct{}
	quit     chan struct{}
	once     sync.Once
}

// sweepEvery is how late a deadline may be kept at most.
const sweepEvery = 500 * time.Millisecond

func newDeadlines(t timeouts) *deadlines {
	d := &deadlines{timeouts: t, conns: map[*conn]struct{}{}, quit: make(chan struct{})}
	go d.run()
	return d
}

func (d *deadlines) stop() { d.once.Do(func() { close(d.quit) }) }

func (d *deadlines) run() {
	every := sweepEvery
	if least := min(d.timeouts.idle, d.timeouts.header, d.timeouts.body, d.timeouts.write); least < 4*every {
		every = max(least/4, 10*time.Millisecond)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-d.quit:
			return
		case <-tick.C:
			d.sweep(every)
		}
	}
}

func (d *deadlines) sweep(every time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.grow(every, &d.timeouts)
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

// phase is what a connection is doing.
type phase uint32

const (
	// idle: the next request has not begun. A new connection is idle too, and has a header's time.
	idle phase = iota
	// header: a request has begun.
	header
	// serving: its header was read, and perhaps its body is being read.
	serving
)

// conn is a client's connection. It counts phases, reads and writes for the sweep, and holds the exchange of its requests.
type conn struct {
	net.Conn
	deadlines *deadlines
	// state is the phase in its last two bits and the number of changes in the others. Only the connection's own goroutine
	// writes it, so that a change is one store.
	state atomic.Uint32
	// reads, of bodies, and writes count beginnings and ends: odd while one is under way.
	reads, writes  atomic.Uint32
	served, closed atomic.Bool
	// inPhase, inRead and inWrite are how long each has stood still. They are the sweep's own.
	inPhase, inRead, inWrite still
	exchange                 exchange.Exchange
}

// writePiece is how much of a large write has to pass at least within the write timeout.
const writePiece = 256 << 10

// NetConn gives the connection underneath, for those who need its socket.
func (c *conn) NetConn() net.Conn { return c.Conn }

// enter begins a phase.
func (c *conn) enter(p phase) {
	c.state.Store(c.state.Load()&^phaseBits + phaseBits + 1 | uint32(p))
}

// phaseBits are the bits of conn.state that hold the phase.
const phaseBits = 3

func (c *conn) phase() phase { return phase(c.state.Load() & phaseBits) }

// SetReadDeadline is called by fasthttp when a header has been read and a body follows. The time is not looked at.
func (c *conn) SetReadDeadline(time.Time) error {
	c.enter(serving)
	return nil
}

// Read counts; the first bytes on an idle connection begin a header.
func (c *conn) Read(p []byte) (int, error) {
	if c.phase() == serving {
		c.reads.Add(1)
		defer c.reads.Add(1)
	}
	if c.phase() == idle {
		c.exchange.Rest() // the answer before has been written: a read is for the next request, or throws its body away
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.phase() == idle {
		c.enter(header)
	}
	return n, err //nolint:wrapcheck // fasthttp compares it
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

// grow makes the connection older by one sweep and ends what took too long. Only the sweep calls it. A connection that
// moves on in the same moment is lost: it had used up its time.
func (c *conn) grow(by time.Duration, t *timeouts) {
	c.inPhase.look(c.state.Load(), by)
	c.inRead.look(c.reads.Load(), by)
	c.inWrite.look(c.writes.Load(), by)
	switch c.phase() {
	case idle:
		limit := t.idle
		if !c.served.Load() {
			limit = t.header
		}
		c.endRead(c.inPhase.long > limit)
	case header:
		c.endRead(c.inPhase.long > t.header)
	case serving:
		// A read under way so late waits for the body: a client that sends it in drips is ended too.
		c.endRead(c.inRead.count&1 == 1 && c.inPhase.long > t.body)
	}
	if c.inWrite.count&1 == 1 && c.inWrite.long > t.write {
		_ = c.Conn.SetWriteDeadline(past)
	}
}

// still is a count as it was last seen, and for how long it has been that.
type still struct {
	count uint32
	long  time.Duration
}

func (s *still) look(now uint32, by time.Duration) {
	if s.count == now {
		s.long += by
		return
	}
	*s = still{count: now}
}

// endRead wakes the read under way with a timeout.
func (c *conn) endRead(over bool) {
	if over {
		_ = c.Conn.SetReadDeadline(past)
	}
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
