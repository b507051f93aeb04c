package throttle

import "time"

// account is what the ledger keeps for one key in one plan: its bucket and its counter, in one cache line. A plan's limit
// for a route has accounts too, whose counters are never used.
type account struct {
	id      string
	bucket  bucket
	counter counter
	// next is the next one in the list of those whose counter is to be saved.
	next *account
}

func newAccount(id string) *account {
	a := &account{id: id}
	a.bucket.full.Store(fresh)
	a.counter.tally.Store(unused)
	return a
}

// sweep marks an account of which nothing matters any more at the time now, which is at in the buckets' time. From then
// on it lets nobody pass; was is its last tally. The caller keeps others from asking the ledger for the account until sweep
// has returned, since it stops the bucket before it knows whether the counter can go too.
func (a *account) sweep(at int64, now time.Time) (was tally, dropped bool) {
	if !a.bucket.sweep(at) {
		return 0, false
	}
	if was, dropped = a.counter.sweep(now); !dropped {
		a.bucket.full.Store(fresh)
	}
	return was, dropped
}
