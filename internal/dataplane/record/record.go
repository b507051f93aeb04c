package record

import (
	"sync/atomic"
	"time"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/telemetry/metrics"
)

// Config is what a Recorder needs.
type Config struct {
	// Log takes the lines; nil for none.
	Log *Log
	// Metrics takes the numbers.
	Metrics *metrics.Metrics
	// Format is that of stages without their own; nil logs only those that have one.
	Format *snapshot.LogFormat
	// ErrorKind names the kind of a failed call in a word of a small set; nil calls a timeout "timeout" and the rest
	// "failed".
	ErrorKind func(error) string
	// Now tells the time; required.
	Now func() time.Time
}

// Recorder makes the last step of every plan. It serves any number of snapshots.
type Recorder struct{ cfg Config }

// New makes a Recorder.
func New(cfg Config) *Recorder {
	if cfg.Log != nil && !cfg.Log.on() {
		cfg.Log = nil
	}
	return &Recorder{cfg: cfg}
}

// All makes the step of all requests that a snapshot serves, and of those that find no route in it.
func (r *Recorder) All(s *snapshot.Snapshot) *Step {
	step := &Step{r: r, routes: make([]place, len(s.Routes)), stages: map[*snapshot.Stage]*place{}}
	step.none.line = r.lineOf(nil)
	for _, api := range s.APIs {
		for _, stage := range api.Stages {
			step.add(stage)
		}
	}
	for i, route := range s.Routes {
		step.routes[i].line = step.add(route.Stage).line
	}
	return step
}

// lineOf gives the ready format of a stage, nil for requests that meet none; nil when nothing is to be logged.
func (r *Recorder) lineOf(s *snapshot.Stage) *line {
	if r.cfg.Log == nil {
		return nil
	}
	if s != nil && s.AccessLog != nil {
		return newLine(s.AccessLog, s)
	}
	return newLine(r.cfg.Format, s)
}

// Step records the exchanges of one snapshot.
//
// One step serves all routes: what differs between them is one place in a slice, and what is the same for the routes of a
// stage is shared by them. So a request of a route that was not called for a while fetches little into the processor's
// cache.
type Step struct {
	r *Recorder
	// routes is indexed by Route.Index.
	routes []place
	// stages are the places of requests that met a stage but no route, none of those that met no stage either.
	stages map[*snapshot.Stage]*place
	none   place
}

// place is where requests are counted, and how their lines are written.
type place struct {
	// cell is found by the first request: a route that nobody calls costs nothing.
	cell atomic.Pointer[metrics.Cell]
	line *line
}

// add finds the place of a stage, or makes it.
func (s *Step) add(stage *snapshot.Stage) *place {
	p, ok := s.stages[stage]
	if !ok {
		p = &place{line: s.r.lineOf(stage)}
		s.stages[stage] = p
	}
	return p
}

// Do counts the exchange and writes its line. The exchange's Route and Stage are of the step's snapshot, or nil. It sets
// x.Latency and returns nil always.
func (s *Step) Do(x *exchange.Exchange) error {
	p := s.place(x)
	c := p.cell.Load()
	if c == nil {
		c = s.r.cfg.Metrics.Cell(s.labels(p, x))
		p.cell.Store(c)
	}
	s.r.record(x, c, p.line)
	return nil
}

// place finds where an exchange belongs.
func (s *Step) place(x *exchange.Exchange) *place {
	if x.Route != nil {
		return &s.routes[x.Route.Index]
	}
	if p, ok := s.stages[x.Stage]; ok {
		return p
	}
	return &s.none
}

// labels names the place of an exchange.
func (s *Step) labels(p *place, x *exchange.Exchange) metrics.Labels {
	l := metrics.Labels{API: metrics.NoRoute, Stage: metrics.NoRoute, Route: metrics.NoRoute}
	if p != &s.none {
		l.API, l.Stage = x.Stage.API.ID, x.Stage.Name
	}
	if x.Route != nil {
		l.Route = x.Route.Key
	}
	return l
}

// record counts an exchange in a cell and writes its line, if there is one.
func (r *Recorder) record(x *exchange.Exchange, c *metrics.Cell, l *line) {
	x.Latency = max(r.cfg.Now().Sub(x.Started), 0)
	c.Observe(x.Response.StatusCode(), x.Latency)
	if x.Backend.Called {
		c.ObserveIntegration(max(x.Backend.Latency, 0))
	}
	if x.Refusal != nil || x.Backend.Err != nil {
		r.failed(x)
	}
	if l != nil {
		b := l.append(x.Scratch(), x)
		b = append(b, '\n')
		r.cfg.Log.write(b)
		x.KeepScratch(b)
	}
}

// failed counts what went wrong.
func (r *Recorder) failed(x *exchange.Exchange) {
	if x.Refusal != nil {
		r.cfg.Metrics.Refused(x.Refusal.Kind)
	}
	if x.Backend.Err == nil {
		return
	}
	kind := "failed"
	switch {
	case r.cfg.ErrorKind != nil:
		kind = r.cfg.ErrorKind(x.Backend.Err)
	case x.Refusal != nil && x.Refusal.Kind == fault.IntegrationTimeout:
		kind = "timeout"
	}
	r.cfg.Metrics.IntegrationError(kind)
}

// Retain drops the numbers of routes that snap does not have, some time after it became current. Call it after each
// swap.
func (r *Recorder) Retain(snap *snapshot.Snapshot) {
	live := make(map[metrics.Labels]struct{}, len(snap.Routes))
	for _, route := range snap.Routes {
		l := metrics.Labels{API: route.Stage.API.ID, Stage: route.Stage.Name}
		live[l] = struct{}{}
		l.Route = route.Key
		live[l] = struct{}{}
	}
	r.cfg.Metrics.Retain(func(l metrics.Labels) bool {
		if l.Route == metrics.NoRoute || l.Route == metrics.OtherRoutes {
			l.Route = ""
		}
		_, ok := live[l]
		return ok
	})
}
