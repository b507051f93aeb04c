package throttle

import (
	"math"
	"sync/atomic"
	"time"

	"gatehouse/internal/snapshot"
)

// span is one period of the calendar in 24 bits: its kind in the upper two, and below them how many such periods lie
// between it and the first one, in UTC.
type span uint32

const (
	indexBits = 22
	indexMask = 1<<indexBits - 1
)

// spanOf gives the period in which t lies. A week starts on Monday.
// AWS: on which day a week starts is not documented.
func spanOf(p snapshot.Period, t time.Time) span {
	const day = 24 * 60 * 60
	var index int64
	switch p {
	case snapshot.Day:
		index = t.Unix() / day
	case snapshot.Week:
		index = (t.Unix()/day + 3) / 7 // 1970-01-01 was a Thursday
	case snapshot.Month:
		year, month, _ := t.UTC().Date()
		index = int64(year-1970)*12 + int64(month-1)
	}
	return span(p)<<indexBits | span(max(0, min(index, indexMask)))
}

func (s span) period() snapshot.Period { return snapshot.Period(s >> indexBits) }

func (s span) index() int64 { return int64(s & indexMask) }

// end is when the period is over.
func (s span) end() time.Time {
	switch n := int(s.index()) + 1; s.period() {
	case snapshot.Week:
		return time.Date(1970, 1, 7*n-2, 0, 0, 0, 0, time.UTC)
	case snapshot.Month:
		return time.Date(1970, time.Month(n+1), 1, 0, 0, 0, 0, time.UTC)
	default:
		return time.Date(1970, 1, n+1, 0, 0, 0, 0, time.UTC)
	}
}

// tally is a period and the number of requests counted in it (40 bits), in one word, so that a new period and its first
// request are one step.
type tally uint64

const (
	usedBits = 40
	maxUsed  = 1<<usedBits - 1
	// gone is the tally of a counter that was swept, unused of one that no request came to. They are no period's: kind 3
	// does not exist.
	gone   = math.MaxUint64
	unused = math.MaxUint64 - 1
)

func tallyOf(s span, used int64) tally { return tally(s)<<usedBits | tally(used) }

func (t tally) span() span { return span(t >> usedBits) }

func (t tally) used() int64 { return int64(t & maxUsed) }

// counter counts the requests of one key in one plan.
type counter struct {
	tally atomic.Uint64
	// first is the period of the first request, which is the only one that Quota.Offset counts in; 0 before it is known.
	first atomic.Uint32
	// offset says that first is worth keeping, since a plan with an offset has counted here.
	offset atomic.Bool
	// changed says that the counter is in the list of those to be saved.
	changed atomic.Bool
}

// begin makes an unused counter ready for its first request, which began at t, and reports whether it did.
func (c *counter) begin(t time.Time, q *snapshot.Quota) bool {
	if c.tally.Load() != unused {
		return false
	}
	now := spanOf(q.Period, t)
	c.first.CompareAndSwap(0, uint32(now))
	return c.tally.CompareAndSwap(unused, uint64(tallyOf(now, 0)))
}

// count counts a request that began at t, and reports whether the counter must be saved. A counter never goes back to an
// earlier period, so a request that began just before a period's end and comes just after it counts in the new one; only a
// period further ahead is taken for a clock that was wrong. A plan whose period is of another kind than before starts anew.
func (c *counter) count(t time.Time, q *snapshot.Quota) (v verdict, save bool) {
	now := spanOf(q.Period, t)
	save = q.Offset > 0 && !c.offset.Load() && c.offset.CompareAndSwap(false, true)
	for {
		was := c.tally.Load()
		if was == gone {
			return outdated, false
		}
		s, used := now, int64(0)
		if in := tally(was).span(); in == now || in == now+1 && in.period() == now.period() {
			s, used = in, tally(was).used()
		}
		if used >= allowed(q, s == span(c.first.Load())) {
			return refused, save
		}
		if c.tally.CompareAndSwap(was, uint64(tallyOf(s, used+1))) {
			return passed, true
		}
	}
}

// allowed is the number of requests of a period.
func allowed(q *snapshot.Quota, first bool) int64 {
	n := min(q.Limit, maxUsed)
	if first {
		n -= q.Offset
	}
	return n
}

// How long a counter is kept after its period: one day in case the clock was wrong, and long enough with an offset, which
// a key must not be charged twice.
const (
	keep           = 24 * time.Hour
	keepWithOffset = 400 * 24 * time.Hour
)

// over reports whether nothing of the counter matters any more.
func (c *counter) over(now time.Time) bool {
	t := c.tally.Load()
	if t == unused {
		return true
	}
	after := keep
	if c.offset.Load() {
		after = keepWithOffset
	}
	return !c.changed.Load() && !now.Before(tally(t).span().end().Add(after))
}

// sweep marks a counter that is over as gone; was is its last tally.
func (c *counter) sweep(now time.Time) (was tally, dropped bool) {
	was = tally(c.tally.Load())
	return was, c.over(now) && c.tally.CompareAndSwap(uint64(was), gone)
}
