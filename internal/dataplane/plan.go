package dataplane

import (
	"reflect"

	"gatehouse/internal/dataplane/authorize/apikey"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/mock"
	"gatehouse/internal/dataplane/respond"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/snapshot"
)

// A Step does one thing to an exchange. It may answer it, which ends the way in, or return a fault, which becomes a
// gateway response. It serves many requests at once and keeps nothing of them.
type Step interface {
	Do(x *exchange.Exchange) error
}

// Plan is the way of every request to one route. Listen and match come before it: they find it.
type Plan struct {
	in        []Step
	integrate Step
	out       []Step
	record    Step
}

// plan gives the way of a request, in AWS's order. A step that the route does not need is not there.
func (t *table) plan(r *snapshot.Route) *Plan {
	return &Plan{
		in: steps(
			refuseNotServed(r),
			apikey.For(r, t.snapshot.Keys),
			throttle.For(r, t.parts.Ledger),
			transform.Request(r),
		),
		integrate: one(
			t.parts.Proxy.For(r),
			mock.For(r),
		),
		out: steps(
			transform.Response(r),
		),
		record: t.record,
	}
}

// Run takes one exchange the whole way. Refused or answered on the way in, the rest of in, the integration and out are
// left out; respond and record always run.
func (p *Plan) Run(x *exchange.Exchange) {
	if err := p.pass(x); err != nil {
		respond.Refuse(x, err)
	}
	finish(x, p.record)
}

func (p *Plan) pass(x *exchange.Exchange) (err error) {
	defer recovered(&err)
	for _, s := range p.in {
		if err := s.Do(x); err != nil || x.Answered() {
			return err
		}
	}
	if err := p.integrate.Do(x); err != nil {
		return err
	}
	for _, s := range p.out {
		if err := s.Do(x); err != nil {
			return err
		}
	}
	return nil
}

// finish puts the ids on the answer and records the exchange.
func finish(x *exchange.Exchange, record Step) {
	respond.Finish(x)
	_ = record.Do(x) // records what it can; there is nobody to tell
}

// steps leaves out those that a route does not need.
func steps(all ...Step) []Step {
	var out []Step
	for _, s := range all {
		if !reflect.ValueOf(s).IsNil() {
			out = append(out, s)
		}
	}
	return out
}

// one gives the only step that the route needs, or one that refuses.
func one(all ...Step) Step {
	if s := steps(all...); len(s) == 1 {
		return s[0]
	}
	return unroutable{}
}
