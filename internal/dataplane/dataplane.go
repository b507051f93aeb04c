package dataplane

import (
	"iter"
	"sync/atomic"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/httpproxy"
	"gatehouse/internal/dataplane/listen"
	"gatehouse/internal/dataplane/match"
	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/dataplane/respond"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/snapshot"
)

// Parts are what outlives snapshots.
type Parts struct {
	Ledger   *throttle.Ledger
	Recorder *record.Recorder
	Proxy    *httpproxy.Proxy
	Pools    *Pools
}

// Dataplane serves the current snapshot. It is safe for concurrent use.
type Dataplane struct {
	parts   Parts
	current atomic.Pointer[table]
}

// table is a snapshot made ready: a plan for each shape of its routes.
type table struct {
	parts    *Parts
	snapshot *snapshot.Snapshot
	match    *match.Matcher
	plans    []*Plan
	// record is the last step of every plan, and of requests that have none.
	record Step
}

// New makes a data plane that serves nothing yet.
func New(parts Parts) *Dataplane {
	d := &Dataplane{parts: parts}
	d.Swap(&snapshot.Snapshot{})
	return d
}

// Swap makes a snapshot current. Requests under way finish on the one they began with. It must not be called by two
// goroutines at once.
func (d *Dataplane) Swap(s *snapshot.Snapshot) {
	d.parts.Pools.open(s)
	d.current.Store(d.ready(s))
	d.parts.Recorder.Retain(s)
	d.parts.Pools.closeOthers(s)
}

// ready builds the plans of a snapshot.
func (d *Dataplane) ready(s *snapshot.Snapshot) *table {
	t := &table{parts: &d.parts, snapshot: s, match: match.New(s), record: d.parts.Recorder.All(s)}
	t.plans = make([]*Plan, s.Shapes)
	for _, r := range s.Routes {
		if t.plans[r.Shape] == nil {
			t.plans[r.Shape] = t.plan(r)
		}
	}
	return t
}

// Serve takes a request the whole way.
func (d *Dataplane) Serve(x *exchange.Exchange) {
	t := d.current.Load()
	if err := t.match.Do(x); err != nil {
		t.refuse(x, err)
		return
	}
	t.plans[x.Route.Shape].Run(x)
}

// Refuse answers and records a request that has no route.
func (d *Dataplane) Refuse(x *exchange.Exchange, err error) { d.current.Load().refuse(x, err) }

func (t *table) refuse(x *exchange.Exchange, err error) {
	respond.Refuse(x, err)
	finish(x, t.record)
}

// Preview makes a data plane that calls nothing and records nothing, to look at a snapshot's plans with Match and Steps.
func Preview(s *snapshot.Snapshot, l *throttle.Ledger) *Dataplane {
	d := &Dataplane{parts: Parts{
		Ledger: l, Recorder: record.New(record.Config{}),
		Proxy: httpproxy.New(httpproxy.Config{Upstream: func(*snapshot.Upstream) httpproxy.Caller { return nil }}),
	}}
	d.current.Store(d.ready(s))
	return d
}

// Match finds where a request would go, for people: the exchange's Stage and Route are set as far as they are found.
func (d *Dataplane) Match(x *exchange.Exchange) error { return d.current.Load().match.Do(x) }

// Steps names the steps of a route's plan, in order.
func (d *Dataplane) Steps(r *snapshot.Route) iter.Seq[string] {
	p := d.current.Load().plans[r.Shape]
	return func(yield func(string) bool) {
		names := make([]string, 0, len(p.in)+len(p.out)+3)
		for _, s := range [...][]Step{p.in, {p.integrate}, p.out} {
			for _, step := range s {
				names = append(names, stepName(step))
			}
		}
		for _, name := range append(names, "respond", stepName(p.record)) {
			if !yield(name) {
				return
			}
		}
	}
}

var _ listen.Way = (*Dataplane)(nil)
