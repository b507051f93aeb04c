package metrics

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Labels name what a request was for. Route is the route's key, such as "GET /pets/{id}".
type Labels struct{ API, Stage, Route string }

// The routes that are none.
const (
	// NoRoute stands for requests that met no route; with API and Stage too where there was no stage either.
	NoRoute = "-"
	// OtherRoutes stands for all routes of a stage that came after Config.MaxRoutes.
	OtherRoutes = "(other)"
)

// Cell is where the requests of one route are counted. It outlives snapshots; a step finds it once and keeps it.
type Cell struct {
	count, c4xx, c5xx prometheus.Counter
	latency           prometheus.Observer
	// integration is made by the first call of a backend: a mock has none.
	integration atomic.Pointer[observer]
	labels      Labels
	vecs        *vecs
	// gone is when the route was first missing from a snapshot; zero while it is there. Guarded by Metrics.mu.
	gone time.Time
}

type observer struct{ prometheus.Observer }

// Cell finds the cell of a route, or makes it. It takes a lock: callers keep the cell.
func (m *Metrics) Cell(l Labels) *Cell {
	l = Labels{valid(l.API), valid(l.Stage), valid(l.Route)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.cells[l]; ok {
		c.gone = time.Time{} // it is back, or still in use: the next Retain decides
		return c
	}
	if l.single() {
		if m.routes >= m.cfg.MaxRoutes {
			l.Route = OtherRoutes
			if c, ok := m.cells[l]; ok {
				return c
			}
		} else {
			m.routes++
		}
	}
	c := m.vecs.cell(l)
	m.cells[l] = c
	return c
}

// single reports whether the labels are those of one route, which count against the bound.
func (l Labels) single() bool { return l.Route != NoRoute && l.Route != OtherRoutes }

// valid keeps a broken byte in a definition from making the metrics unreadable.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func (v *vecs) cell(l Labels) *Cell {
	return &Cell{
		count:   v.count.WithLabelValues(l.API, l.Stage, l.Route),
		c4xx:    v.c4xx.WithLabelValues(l.API, l.Stage, l.Route),
		c5xx:    v.c5xx.WithLabelValues(l.API, l.Stage, l.Route),
		latency: v.latency.WithLabelValues(l.API, l.Stage, l.Route),
		labels:  l,
		vecs:    v,
	}
}

func (v *vecs) remove(l Labels) {
	v.count.DeleteLabelValues(l.API, l.Stage, l.Route)
	v.c4xx.DeleteLabelValues(l.API, l.Stage, l.Route)
	v.c5xx.DeleteLabelValues(l.API, l.Stage, l.Route)
	v.latency.DeleteLabelValues(l.API, l.Stage, l.Route)
	v.integration.DeleteLabelValues(l.API, l.Stage, l.Route)
}

// Observe counts one answered request.
func (c *Cell) Observe(status int, latency time.Duration) {
	c.count.Inc()
	switch {
	case status >= 500:
		c.c5xx.Inc()
	case status >= 400:
		c.c4xx.Inc()
	}
	c.latency.Observe(latency.Seconds())
}

// ObserveIntegration counts one call of a backend.
func (c *Cell) ObserveIntegration(latency time.Duration) {
	o := c.integration.Load()
	if o == nil {
		l := c.labels
		o = &observer{c.vecs.integration.WithLabelValues(l.API, l.Stage, l.Route)}
		c.integration.Store(o)
	}
	o.Observe(latency.Seconds())
}

// Retain tells which routes are served after a swap. What is counted for others is exported for Config.Keep more and
// then forgotten, unless they come back. live is called for every cell with a lock held: it must be quick.
func (m *Metrics) Retain(live func(Labels) bool) {
	now := m.cfg.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for l, c := range m.cells {
		switch {
		case l.API == NoRoute || live(l):
			c.gone = time.Time{}
		case c.gone.IsZero():
			c.gone = now
		}
	}
	m.removeGone(now)
}

// sweep forgets what has been gone for long enough.
func (m *Metrics) sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removeGone(m.cfg.Now())
}

func (m *Metrics) removeGone(now time.Time) {
	for l, c := range m.cells {
		if c.gone.IsZero() || now.Sub(c.gone) < m.cfg.Keep {
			continue
		}
		m.vecs.remove(l)
		delete(m.cells, l)
		if l.single() {
			m.routes--
		}
	}
}
