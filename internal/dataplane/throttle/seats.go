package throttle

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// seats finds the accounts of the keys that share a plan use, or its limit for a route, by Key.Index: one read in a table
// of 8 bytes a key, as the way over an id costs ten cache misses when there are many keys. What is the same for all these
// keys is here too, ready.
type seats struct {
	plan, suffix         string // the ids' parts before and after the key's
	limited              bool
	pace                 pace // of limited ones
	throttled, exhausted error
	accounts             []atomic.Pointer[account]
}

func newSeats(use *snapshot.PlanUse, limit *snapshot.Limit) *seats {
	p := use.Plan
	s := &seats{plan: p.ID, accounts: make([]atomic.Pointer[account], use.Keys)}
	place := "Usage Plan ID " + p.ID
	if limit != nil {
		if limit.ID != "" {
			s.suffix = "/" + limit.ID
			place += ", " + limit.ID
		}
		s.limited, s.pace = true, paceOf(*limit)
		s.throttled = fault.New(fault.Throttled,
			fmt.Sprintf("Key throttle limit exceeded for %s. Limit: %.2f Burst: %d", place, limit.Rate, limit.Burst))
	}
	if q := p.Quota; q != nil {
		s.exhausted = fault.New(fault.QuotaExceeded,
			fmt.Sprintf("Key quota exhausted for %s. Quota Limit: %d Period: %s", place, q.Limit, q.Period))
	}
	return s
}

// rows holds the seats of the plan uses that requests came with. Each sweep empties it, so that it keeps no snapshot's
// memory alive for long, and so does growing over maxSeats, 128 MiB.
type rows struct {
	// bySource is keyed by *snapshot.PlanUse and *snapshot.Limit.
	bySource sync.Map
	seats    atomic.Int64
}

const maxSeats = 1 << 24

// of gives the seats of a plan use.
func (r *rows) of(use *snapshot.PlanUse) *seats {
	if s, ok := r.bySource.Load(use); ok {
		return s.(*seats)
	}
	return r.add(use, newSeats(use, use.Plan.Limit))
}

// ofRoute gives the seats of a plan use's limit for a route.
func (r *rows) ofRoute(use *snapshot.PlanUse, limit *snapshot.Limit) *seats {
	if s, ok := r.bySource.Load(limit); ok {
		return s.(*seats)
	}
	return r.add(limit, newSeats(use, limit))
}

func (r *rows) add(source any, s *seats) *seats {
	n := int64(len(s.accounts))
	if r.seats.Add(n) > maxSeats {
		r.forget()
		r.seats.Add(n)
	}
	there, _ := r.bySource.LoadOrStore(source, s)
	return there.(*seats)
}

// forget empties the rows. Requests that hold seats go on with them.
func (r *rows) forget() {
	r.bySource.Clear()
	r.seats.Store(0)
}

// account gives the account of a key.
func (l *Ledger) account(s *seats, key *snapshot.Key) *account {
	if a := s.accounts[key.Index].Load(); a != nil {
		return a
	}
	return l.seat(s, key)
}

// seat finds a key's account by its id, made when there is none, and gives it its seat.
func (l *Ledger) seat(s *seats, key *snapshot.Key) *account {
	id := s.plan + "/" + key.ID + s.suffix
	a := l.accounts.find(id)
	if a == nil {
		a = l.accounts.add(id, newAccount(id))
	}
	s.accounts[key.Index].Store(a)
	return a
}

// takeKey takes a token from a key's bucket and gives the bucket, nil when it refused.
func (l *Ledger) takeKey(s *seats, key *snapshot.Key, now int64) *bucket {
	for a := l.account(s, key); ; a = l.seat(s, key) {
		switch a.bucket.take(now, s.pace) {
		case passed:
			return &a.bucket
		case refused:
			return nil
		case outdated: // swept since
		}
	}
}

// count counts a request of a key, and reports whether its quota allows it. The first one has the counter saved even when
// it is refused: when that was matters for an offset.
func (l *Ledger) count(s *seats, key *snapshot.Key, t time.Time, q *snapshot.Quota) bool {
	for a := l.account(s, key); ; a = l.seat(s, key) {
		if a.counter.begin(t, q) {
			l.inUse.Add(1)
			l.touch(a)
		}
		v, save := a.counter.count(t, q)
		if save {
			l.touch(a)
		}
		if v != outdated {
			return v == passed
		}
	}
}
