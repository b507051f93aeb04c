package throttle

import (
	"math"
	"sync/atomic"

	"gatehouse/internal/snapshot"
)

// bucket is a token bucket in one number, by the generic cell rate algorithm: full is the time (in ns since the ledger
// began) at which the bucket will be full again. A token moves it on by the limit's interval; a bucket with no token is
// full a whole window from now. All that a bucket remembers is thus in the future: one whose time has passed is a new one.
type bucket struct {
	full atomic.Int64
	// window is that of the limit that took last, to notice that a snapshot brought another one.
	window atomic.Int64
}

// Values of bucket.full that are no time.
const (
	swept = math.MinInt64
	fresh = math.MinInt64 + 1
)

// maxSpan keeps sums of two spans and a time within an int64: 73 years in ns.
const maxSpan = 1 << 61

// pace is a limit in ns: the time that one token takes to come, and that the whole bucket takes. Interval 0 lets nobody pass.
type pace struct{ interval, window int64 }

// paceOf rounds the interval up to whole ns, so that the rate is never exceeded; at 10,000 a second this is exact, at a
// million it costs less than 0.1 %. A rate over 10^9 is 10^9.
func paceOf(l snapshot.Limit) pace {
	if !(l.Rate > 0) || l.Burst <= 0 { // not a number lets nobody pass either
		return pace{}
	}
	interval := max(1, math.Ceil(1e9/l.Rate))
	window := interval * float64(l.Burst)
	if window >= maxSpan {
		return pace{int64(min(interval, maxSpan)), maxSpan}
	}
	return pace{int64(interval), int64(interval) * int64(l.Burst)}
}

// verdict is what came of asking a bucket or a counter.
type verdict uint8

const (
	passed verdict = iota
	refused
	// outdated: it was swept from the ledger meanwhile; ask the ledger for the id again.
	outdated
)

// take takes a token at the time now. Callers may come with their times out of order; a late one is judged more strictly.
func (b *bucket) take(now int64, p pace) verdict {
	if p.interval == 0 {
		return refused
	}
	if w := b.window.Load(); w != p.window {
		b.resize(now, w, p.window)
	}
	for {
		full := b.full.Load()
		if full == swept {
			return outdated
		}
		next := max(full, now) + p.interval
		if next-now > p.window {
			return refused
		}
		if b.full.CompareAndSwap(full, next) {
			return passed
		}
	}
}

// giveBack undoes a take of the same pace.
func (b *bucket) giveBack(p pace) {
	for {
		full := b.full.Load()
		if full == swept || b.full.CompareAndSwap(full, full-p.interval) {
			return
		}
	}
}

// resize carries a bucket over to another limit as full as it was, in parts of its size: else a key that had used up one
// request an hour would wait out the hour after its limit was raised.
func (b *bucket) resize(now, from, to int64) {
	if !b.window.CompareAndSwap(from, to) || from == 0 {
		return
	}
	for {
		full := b.full.Load()
		if full <= now {
			return
		}
		ahead := float64(full-now) / float64(from) * float64(to)
		if b.full.CompareAndSwap(full, now+int64(min(ahead, float64(to)))) {
			return
		}
	}
}

// sweep marks a full bucket as swept; from then on it lets nobody take.
func (b *bucket) sweep(now int64) bool {
	full := b.full.Load()
	return full <= now && b.full.CompareAndSwap(full, swept)
}
