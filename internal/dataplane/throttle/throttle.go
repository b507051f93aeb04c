package throttle

import (
	"fmt"
	"sync/atomic"
	"time"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// Step is the step of all routes that have the same limits. It serves many requests at once and holds nothing of a single
// route.
type Step struct {
	ledger *Ledger
	limits []routeLimit
}

// routeLimit is a bucket of every request to a route, found once and found again only when it was swept.
type routeLimit struct {
	id      string
	pace    pace
	bucket  atomic.Pointer[bucket]
	refusal error
}

// For makes the step of a route; nil when neither key nor limit can ever refuse there. It serves all other
// routes with the same Limits as well.
func For(r *snapshot.Route, l *Ledger) *Step {
	if len(r.Limits) == 0 && !r.APIKeyRequired {
		return nil
	}
	s := &Step{ledger: l, limits: make([]routeLimit, len(r.Limits))}
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
// order; then the quota. It allocates for a key's first request since the ledger was swept.
//
// The request's time is x.Started, to save a look at the clock. A request that was held up long before this step is thus
// judged by an earlier time, at which a busy bucket has nothing for it yet.
//
// AWS: whether a refused request uses up anything is not documented. Here it does not: a refusal gives back what the
// limits before it took, and counts against no quota, so that a client over its own limit takes nothing from others.
func (s *Step) Do(x *exchange.Exchange) error {
	r := request{key: x.Key, at: x.Started, now: s.ledger.since(x.Started)}
	if x.Use == nil {
		return s.passRoute(&r, 0)
	}
	r.quota, r.seats = x.Use.Plan.Quota, s.ledger.rows.of(x.Use)
	if len(x.Use.Methods) > 0 {
		if limit := x.Use.Methods[x.Route.Key]; limit != nil {
			return s.passKey(&r, s.ledger.rows.ofRoute(x.Use, limit))
		}
	}
	if r.seats.limited {
		return s.passKey(&r, r.seats)
	}
	return s.passRoute(&r, 0)
}

// request is what the step looks at: the caller's key with its quota and its seat, all nil without a plan, and the time.
type request struct {
	key   *snapshot.Key
	quota *snapshot.Quota
	seats *seats
	at    time.Time
	now   int64 // at in the buckets' time
}

// passKey passes the plan's limit for the key, then the rest.
func (s *Step) passKey(r *request, in *seats) error {
	b := s.ledger.takeKey(in, r.key, r.now)
	if b == nil {
		s.ledger.refusedKey.Add(1)
		return in.throttled
	}
	err := s.passRoute(r, 0)
	if err != nil {
		b.giveBack(in.pace)
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
	if r.quota == nil || s.ledger.count(r.seats, r.key, r.at, r.quota) {
		return nil
	}
	s.ledger.refusedQuota.Add(1)
	return r.seats.exhausted
}

// routeRefusal is the refusal of a limit of the route, stage or account, whose id says which.
func routeRefusal(l snapshot.Limit) error {
	return fault.New(fault.Throttled,
		fmt.Sprintf("Throttle limit exceeded for %s. Limit: %.2f Burst: %d", l.ID, l.Rate, l.Burst))
}
