package throttle

import (
	"fmt"
	"maps"
	"sync/atomic"

	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// The refusals when a route has too many plans to keep a text for each.
var (
	errThrottled = fault.New(fault.Throttled, "Key throttle limit exceeded")
	errExhausted = fault.New(fault.QuotaExceeded, "Key quota exhausted")
)

// maxReasons is the number of refusals that a route keeps ready.
const maxReasons = 16

// reasons makes a route's refusals by plan and kind when they are first needed and keeps them: they take the words of
// AWS's execution log, and only few routes ever refuse.
type reasons struct {
	route *snapshot.Route
	known atomic.Pointer[map[reason]*fault.Error]
}

type reason struct {
	plan *snapshot.Plan
	kind fault.Kind
}

func (r *reasons) throttled(p *snapshot.Plan, l snapshot.Limit) error {
	key := reason{p, fault.Throttled}
	known := r.known.Load()
	switch f := find(known, key); {
	case f != nil:
		return f
	case full(known):
		return errThrottled
	}
	return r.keep(known, key, fmt.Sprintf("Key throttle limit exceeded for %s. Limit: %.2f Burst: %d",
		r.place(p), l.Rate, l.Burst))
}

func (r *reasons) exhausted(p *snapshot.Plan) error {
	key := reason{p, fault.QuotaExceeded}
	known := r.known.Load()
	switch f := find(known, key); {
	case f != nil:
		return f
	case full(known):
		return errExhausted
	}
	return r.keep(known, key, fmt.Sprintf("Key quota exhausted for %s. Quota Limit: %d Period: %s",
		r.place(p), p.Quota.Limit, p.Quota.Period))
}

func find(known *map[reason]*fault.Error, key reason) *fault.Error {
	if known == nil {
		return nil
	}
	return (*known)[key]
}

func full(known *map[reason]*fault.Error) bool { return known != nil && len(*known) >= maxReasons }

// keep adds a refusal to a copy of what is known. Should another request be quicker, the next refusal tries again.
func (r *reasons) keep(known *map[reason]*fault.Error, key reason, text string) *fault.Error {
	f := fault.New(key.kind, text)
	more := map[reason]*fault.Error{key: f}
	if known != nil {
		maps.Copy(more, *known)
	}
	r.known.CompareAndSwap(known, &more)
	return f
}

// place names plan, API, stage, resource and method as AWS does.
func (r *reasons) place(p *snapshot.Plan) string {
	return fmt.Sprintf("Usage Plan ID %s, RestApi %s, Stage %s, Resource %s, HttpMethod %s",
		p.ID, r.route.Stage.API.ID, r.route.Stage.Name, r.route.ResourceID, r.route.Method)
}

// routeRefusal is the refusal of a limit of the route, stage or account, whose id says which.
func routeRefusal(l snapshot.Limit) *fault.Error {
	return fault.New(fault.Throttled,
		fmt.Sprintf("Throttle limit exceeded for %s. Limit: %.2f Burst: %d", l.ID, l.Rate, l.Burst))
}
