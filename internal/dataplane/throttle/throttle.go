package throttle

import (
	"sync/atomic"
	"time"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// Step is the step of one route. It serves many requests at once.
type Step struct {
	ledger  *Ledger
	route   string
	limits  []routeLimit
	reasons reasons
}

// routeLimit is a bucket of every request to the route, found once and found again only when it was swept.
type routeLimit struct {
	id      string
	pace    pace
	bucket  atomic.Pointer[bucket]
	refusal *fault.Error
}

// For makes the step of a route; nil when neither key nor limit can ever refuse there.
func For(r *snapshot.Route, l *Ledger) *Step {
	if len(r.Limits) == 0 && !r.APIKeyRequired {
		return nil
	}
	s := &Step{ledger: l, route: r.Key, limits: make([]routeLimit, len(r.Limits)), reasons: reasons{route: r}}
	for i, limit := range r.Limits {
		s.limits[i].id = limit.ID
		s.limits[i].pace = paceOf(limit)
		s.limits[i].bucket.Store(l.bucket(limit.ID))
		s.limits[i].refusal = routeRefusal(limit)
	}
	return s
}

// Do takes a token from each bucket that the request must pass and counts it against its quota, or refuses it. First comes
// the usage plan's limit for the key on this route, or else the plan's limit for the key; then the route's limits in their
// order; then the quota. It allocates for a key's first request, and for the first refusal by a plan.
//
// The request's time is x.Started, to save a look at the clock. A request that was held up long before this step is thus
// judged by an earlier time, at which a busy bucket has nothing for it yet.
//
// AWS: whether a refused request uses up anything is not documented. Here it does not: a refusal gives back what the
// limits before it took, and counts against no quota, so that a client over its own limit takes nothing from others.
func (s *Step) Do(x *exchange.Exchange) error {
	r := request{use: x.Use, at: x.Started, now: s.ledger.since(x.Started)}
	if r.use == nil {
		return s.passRoute(&r, 0)
	}
	r.slot = s.ledger.uses.of(r.use)
	if len(r.use.Methods) > 0 {
		if limit, ok := r.use.Methods[s.route]; ok {
			return s.passKey(&r, nil, limit)
		}
	}
	if r.use.HasLimit {
		return s.passKey(&r, &r.slot.bucket, r.use.Limit)
	}
	return s.passRoute(&r, 0)
}

// request is what the step looks at: the caller's plan use with its slot, both nil without a key, and the time.
type request struct {
	use  *snapshot.PlanUse
	slot *useSlot
	at   time.Time
	now  int64 // at in the buckets' time
}

// passKey passes the plan's limit for the key, then the rest. found remembers the limit's
// bucket; nil has it looked up each time.
func (s *Step) passKey(r *request, found *atomic.Pointer[bucket], limit snapshot.Limit) error {
	p := paceOf(limit)
	b := s.ledger.take(found, limit.ID, r.now, p)
	if b == nil {
		s.ledger.refusedKey.Add(1)
		return s.reasons.throttled(r.use.Plan, limit)
	}
	err := s.passRoute(r, 0)
	if err != nil {
		b.giveBack(p)
	}
	return err
}

// passRoute passes the route's limits from i on, then the quota.
func (s *Step) passRoute(r *request, i int) error {
	if i == len(s.limits) {
		return s.passQuota(r)
	}
	limit := &s.limits[i]
	b := s.ledger.take(&limit.bucket, limit.id, r.now, limit.pace)
	if b == nil {
		s.ledger.refusedRoute.Add(1)
		return limit.refusal
	}
	err := s.passRoute(r, i+1)
	if err != nil {
		b.giveBack(limit.pace)
	}
	return err
}

// passQuota counts a request that passed everything else.
func (s *Step) passQuota(r *request) error {
	if r.use == nil || r.use.Plan.Quota == nil {
		return nil
	}
	if s.ledger.count(&r.slot.counter, r.use.CounterID, r.at, r.use.Plan.Quota) {
		return nil
	}
	s.ledger.refusedQuota.Add(1)
	return s.reasons.exhausted(r.use.Plan)
}
