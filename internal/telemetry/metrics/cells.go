package metrics

import (
	"strings"
	"sync"
	"time"
)

// cells are the cells of all routes.
type cells struct {
	mu sync.Mutex // guards what follows
	by map[Labels]*Cell
	// single counts those of one route each.
	single int
}

// labelled is a cell with its name.
type labelled struct {
	Labels
	*Cell
}

// Cell finds the cell of a route, or makes it. It takes a lock: callers keep the cell.
func (m *Metrics) Cell(l Labels) *Cell {
	l = Labels{valid(l.API), valid(l.Stage), valid(l.Route)}
	m.cells.mu.Lock()
	defer m.cells.mu.Unlock()
	return m.cells.find(l, m.cfg.MaxRoutes)
}

// find is Cell with the lock held.
func (s *cells) find(l Labels, maxRoutes int) *Cell {
	if c, ok := s.by[l]; ok {
		c.gone = 0 // it is back, or still in use: the next Retain decides
		return c
	}
	if l.single() && s.single >= maxRoutes {
		l.Route = OtherRoutes
		return s.find(l, maxRoutes)
	}
	if l.single() {
		s.single++
	}
	c := new(Cell)
	s.by[l] = c
	return c
}

// all copies the list, so that nobody waits for a scrape.
func (s *cells) all() []labelled {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]labelled, 0, len(s.by))
	for l, c := range s.by {
		out = append(out, labelled{l, c})
	}
	return out
}

// single reports whether the labels are those of one route, which count against the bound.
func (l Labels) single() bool { return l.Route != NoRoute && l.Route != OtherRoutes }

// valid keeps a broken byte in a definition from making the metrics unreadable.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Retain tells which routes are served after a swap. What is counted for others is exported for Config.Keep more and
// then forgotten, unless they come back. live is called for every cell with a lock held: it must be quick.
func (m *Metrics) Retain(live func(Labels) bool) {
	now := m.cfg.Now()
	m.cells.mu.Lock()
	defer m.cells.mu.Unlock()
	for l, c := range m.cells.by {
		switch {
		case l.API == NoRoute || live(l):
			c.gone = 0
		case c.gone == 0:
			c.gone = now.UnixNano()
		}
	}
	m.cells.forget(now.Add(-m.cfg.Keep))
}

// sweep forgets what has been gone for long enough.
func (m *Metrics) sweep() {
	before := m.cfg.Now().Add(-m.cfg.Keep)
	m.cells.mu.Lock()
	defer m.cells.mu.Unlock()
	m.cells.forget(before)
}

// forget drops the cells that were gone by a point in time. The lock is held.
func (s *cells) forget(by time.Time) {
	for l, c := range s.by {
		if c.gone == 0 || c.gone > by.UnixNano() {
			continue
		}
		delete(s.by, l)
		if l.single() {
			s.single--
		}
	}
}
