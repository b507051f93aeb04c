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
	// gone is the tally of a counter that was swept. It is no period's: kind 3 does not exist.
	gone = math.MaxUint64
)

func tallyOf(s span, used int64) tally { return tally(s)<<usedBits | tally(used) }

func (t tally) span() span { return span(t >> usedBits) }

func (t tally) used() int64 { return int64(t & maxUsed) }

// counter counts the requests of one key in one plan.
type counter struct {
	id    string
	tally atomic.Uint64
	// first is the period in which the counter was made, which is the only one that Quota.Offset counts in.
	first span
	// offset says that first is worth keeping, since a plan with an offset has counted here.
	offset atomic.Bool
	// changed says that the counter is in the list of those to be saved, whose next one is next.
	changed atomic.Bool
	next    *counter
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
		if used >= allowed(q, s == c.first) {
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

// sweep marks a counter as gone when nothing of it matters any more.
func (c *counter) sweep(now time.Time) bool {
	was := c.tally.Load()
	after := keep
	if c.offset.Load() {
		after = keepWithOffset
	}
	if c.changed.Load() || now.Before(tally(was).span().end().Add(after)) {
		return false
	}
	return c.tally.CompareAndSwap(was, gone)
}
