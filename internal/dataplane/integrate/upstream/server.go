package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"
)

// server is one server of an Upstream with its idle connections, the last used on top.
type server struct {
	up   *Upstream
	addr string
	tls  *tls.Config // nil: plain

	mu     sync.Mutex
	idle   []*conn
	open   int // idle ones, busy ones and dials
	closed bool
}

func (s *server) init(u *Upstream, cfg Server) {
	s.up, s.addr = u, cfg.Addr
	if !cfg.TLS {
		return
	}
	name := u.cfg.ServerName
	if name == "" {
		if host, _, err := net.SplitHostPort(cfg.Addr); err == nil {
			name = host
		}
	}
	s.tls = &tls.Config{
		ServerName:         name,
		RootCAs:            u.cfg.RootCAs,
		InsecureSkipVerify: u.cfg.InsecureSkipVerify,
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
}

// take gives an idle connection that looks alive, or nil. One that the sweep saw idle is looked at first; so is every
// one when the caller cannot repeat its request.
func (s *server) take(careful bool) *conn {
	for {
		s.mu.Lock()
		last := len(s.idle) - 1
		if last < 0 {
			s.mu.Unlock()
			return nil
		}
		cn := s.idle[last]
		s.idle[last] = nil
		s.idle = s.idle[:last]
		s.mu.Unlock()
		if (careful || cn.suspect || !cn.seen.IsZero()) && cn.stale() {
			s.drop(cn)
			continue
		}
		cn.reused = true
		return cn
	}
}

// put keeps cn for later, or closes it.
func (s *server) put(cn *conn) {
	s.mu.Lock()
	keep := !s.closed && len(s.idle) < s.up.cfg.MaxIdle
	if keep {
		s.idle = append(s.idle, cn)
	}
	s.mu.Unlock()
	if !keep {
		s.drop(cn)
		return
	}
	s.up.sweeper.arm()
}

// drop closes a connection that is in nobody's hands any more.
func (s *server) drop(cn *conn) {
	s.up.cfg.Watcher.remove(cn)
	_ = cn.nc.Close()
	s.unreserve()
}

// reserve makes room for one more connection. fresh may push an idle one out.
func (s *server) reserve(fresh bool) bool {
	s.mu.Lock()
	if s.open < s.up.cfg.MaxConns {
		s.open++
		s.mu.Unlock()
		return true
	}
	var out *conn
	if fresh && len(s.idle) > 0 {
		out, s.idle = s.idle[0], slices.Delete(s.idle, 0, 1)
		s.open++
	}
	s.mu.Unlock()
	if out == nil {
		return false
	}
	s.drop(out)
	return true
}

func (s *server) unreserve() {
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
}

func (s *server) count() (open, idle int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, len(s.idle)
}

// close refuses idle connections from now on and gives those there are.
func (s *server) close() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.idle
	s.idle, s.closed = nil, true
	return idle
}

// dial makes a connection. The error, when there is one, is recorded in c.
func (s *server) dial(c *Call, fresh bool) (*conn, error) {
	if !s.reserve(fresh) {
		return nil, c.fail(Exhausted, errExhausted)
	}
	s.up.counters.dials.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), s.up.cfg.DialTimeout) //nolint:forbidigo // a call has no context; its deadline and its client end the dial
	defer cancel()
	if !c.Deadline.IsZero() {
		var stop func()
		ctx, stop = context.WithDeadline(ctx, c.Deadline)
		defer stop()
	}
	cn := &conn{srv: s}
	cn.startDial(c.Client, cancel)
	s.up.cfg.Watcher.add(cn)
	nc, kind, err := s.connect(ctx)
	if err == nil {
		cn.connected(nc)
		return cn, nil
	}
	gone := cn.end()
	s.up.cfg.Watcher.remove(cn)
	s.unreserve()
	switch {
	case gone:
		kind = Abandoned
	case ctx.Err() != nil || isTimeout(err):
		kind = Timeout
	}
	return nil, c.fail(kind, err)
}

// connect connects and shakes hands.
func (s *server) connect(ctx context.Context) (net.Conn, Kind, error) {
	nc, err := s.up.dialer.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, Refused, err
	}
	if s.tls == nil {
		return nc, 0, nil
	}
	tc := tls.Client(nc, s.tls)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, TLS, err
	}
	return tc, 0, nil
}

// sweep takes out the idle connections that have been unused for too long, and of those that the last sweep saw too the
// ones that the server closed. It looks at a bounded number, the oldest, for the lock's sake.
func (s *server) sweep(now time.Time, maxIdle time.Duration) (out []*conn) {
	const maxLooks = 64
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.idle[:0]
	looks := 0
	for _, cn := range s.idle {
		switch {
		case cn.seen.IsZero():
			cn.seen = now
		case now.Sub(cn.seen) >= maxIdle:
			out = append(out, cn)
			continue
		case looks < maxLooks:
			looks++
			if cn.stale() {
				out = append(out, cn)
				continue
			}
		}
		kept = append(kept, cn)
	}
	clear(s.idle[len(kept):])
	s.idle = kept
	return out
}
