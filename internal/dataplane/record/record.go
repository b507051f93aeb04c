package record

import (
	"maps"
	"sync"
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
type Recorder struct {
	cfg Config
	// line is Config.Format for requests that meet no stage.
	line line

	mu    sync.Mutex // guards what follows
	stage *snapshot.Stage
	own   line // the ready format of stage, which all its routes share
}

// New makes a Recorder.
func New(cfg Config) *Recorder {
	if cfg.Log != nil && !cfg.Log.on() {
		cfg.Log = nil
	}
	r := &Recorder{cfg: cfg}
	if cfg.Log != nil {
		r.line = newLine(cfg.Format, nil)
	}
	return r
}

// lineOf gives the ready format of a stage.
func (r *Recorder) lineOf(s *snapshot.Stage) line {
	if r.cfg.Log == nil {
		return line{}
	}
	f := r.cfg.Format
	if s.AccessLog != nil {
		f = s.AccessLog
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stage != s { // plans are built stage by stage: remembering the last one is enough
		r.stage, r.own = s, newLine(f, s)
	}
	return r.own
}

// Step records the exchanges of one route.
type Step struct {
	r      *Recorder
	labels metrics.Labels
	line   line
	// cell is found by the first request: a route that nobody calls costs nothing.
	cell atomic.Pointer[metrics.Cell]
	// stages is nil but for the step of requests without a route, whose stage is known only when they come. It is
	// copied to be changed.
	stages atomic.Pointer[map[*snapshot.Stage]*Step]
}

// For makes the step of a route.
func (r *Recorder) For(route *snapshot.Route) *Step {
	s := &Step{r: r, line: r.lineOf(route.Stage)}
	s.labels = metrics.Labels{API: route.Stage.API.ID, Stage: route.Stage.Name, Route: route.Key}
	return s
}

// NoRoute makes the step of requests that met no route. It remembers stages: make a new one for every snapshot.
func (r *Recorder) NoRoute() *Step {
	s := &Step{r: r, line: r.line}
	s.labels = metrics.Labels{API: metrics.NoRoute, Stage: metrics.NoRoute, Route: metrics.NoRoute}
	s.stages.Store(&map[*snapshot.Stage]*Step{})
	return s
}

// Do counts the exchange and writes its line. It sets x.Latency and returns nil always.
func (s *Step) Do(x *exchange.Exchange) error {
	if x.Stage != nil {
		if stages := s.stages.Load(); stages != nil {
			return s.ofStage(*stages, x.Stage).Do(x)
		}
	}
	x.Latency = max(s.r.cfg.Now().Sub(x.Started), 0)
	c := s.cell.Load()
	if c == nil {
		c = s.r.cfg.Metrics.Cell(s.labels)
		s.cell.Store(c)
	}
	c.Observe(x.Response.StatusCode(), x.Latency)
	if x.Backend.Called {
		c.ObserveIntegration(x.Backend.Latency)
	}
	if x.Refusal != nil || x.Backend.Err != nil {
		s.r.failed(x)
	}
	if s.r.cfg.Log != nil && s.line.text != nil {
		b := s.line.append(x.Scratch(), x)
		b = append(b, '\n')
		s.r.cfg.Log.write(b)
		x.KeepScratch(b)
	}
	return nil
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

// ofStage gives the step of requests that met a stage but no route.
func (s *Step) ofStage(stages map[*snapshot.Stage]*Step, stage *snapshot.Stage) *Step {
	if own, ok := stages[stage]; ok {
		return own
	}
	own := &Step{r: s.r, line: s.r.lineOf(stage)}
	own.labels = metrics.Labels{API: stage.API.ID, Stage: stage.Name, Route: metrics.NoRoute}
	for {
		old := s.stages.Load()
		more := maps.Clone(*old)
		more[stage] = own
		if s.stages.CompareAndSwap(old, &more) {
			return own
		}
	}
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
