package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// sweeper calls a function again and again while there is something to sweep, and costs nothing when there is not.
type sweeper struct {
	every time.Duration
	sweep func() bool // reports whether to run again
	armed atomic.Bool

	mu     sync.Mutex
	timer  *time.Timer
	closed bool
}

// arm sees to it that sweep will run.
func (w *sweeper) arm() {
	if w.armed.Load() || !w.armed.CompareAndSwap(false, true) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.timer = time.AfterFunc(w.every, w.run)
}

func (w *sweeper) run() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.armed.Store(false)
	if w.sweep() && w.armed.CompareAndSwap(false, true) {
		w.timer.Reset(w.every)
	}
}

// close stops for good and waits for a sweep under way.
func (w *sweeper) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// sweep goes through all servers and reports whether any connection is idle still.
func (u *Upstream) sweep() bool {
	now := time.Now() //nolint:forbidigo // the sweep is off the request path
	left := false
	for i := range u.servers {
		s := &u.servers[i]
		for _, cn := range s.sweep(now, u.cfg.IdleTimeout-2*u.sweeper.every) {
			s.drop(cn)
		}
		_, idle := s.count()
		left = left || idle > 0
	}
	return left
}
