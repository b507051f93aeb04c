package metrics

import (
	"sync/atomic"
	"time"
)

// Labels name what a request was for. Route is the route's key, such as "GET /pets/{id}".
type Labels struct{ API, Stage, Route string }

// The routes that are none.
const (
	// NoRoute stands for requests that met no route; with API and Stage too where there was no stage either.
	NoRoute = "-"
	// OtherRoutes stands for all routes of a stage that came after Config.MaxRoutes.
	OtherRoutes = "(other)"
)

// Cell is where the requests of one route are counted. It outlives snapshots; a step finds it once and keeps it.
//
// A gateway of ten thousand routes finds no cell in the processor's cache, and a line that must be fetched costs more
// than all the counting. So a cell is one piece without pointers, of a whole number of lines, and what one request
// changes stands close together: a usual one touches the first line and that of its bucket.
type Cell struct {
	// The sums are in nanoseconds. They wrap after 584 years of added-up time, which a reader takes for a restart.
	latency, integration atomic.Uint64
	c4xx, c5xx           atomic.Uint64
	buckets              [len(bounds) + 1]bucket
	// gone is when the route was first missing from a snapshot, in Unix nanoseconds; 0 while it is there. Guarded by
	// cells.mu.
	gone int64
	_    [24]byte // up to the end of the line
}

// bucket counts the latencies up to one bound: requests by their own, calls of a backend by theirs. Both often fall
// between the same bounds. The number of requests is not counted again: it is the sum of all buckets.
type bucket struct{ latency, integration atomic.Uint64 }

// bounds are the upper bounds of the buckets, but for the last, which has none. The last one is above AWS's longest
// integration timeout of 29 s. It is never changed.
var bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// bucketOf gives the place of a latency among the buckets. Most are found within the first few.
func bucketOf(latency time.Duration) int {
	for i, bound := range bounds {
		if latency <= bound {
			return i
		}
	}
	return len(bounds)
}

// Observe counts one answered request. The latency is not negative.
func (c *Cell) Observe(status int, latency time.Duration) {
	c.buckets[bucketOf(latency)].latency.Add(1)
	c.latency.Add(uint64(latency))
	switch {
	case status >= 500:
		c.c5xx.Add(1)
	case status >= 400:
		c.c4xx.Add(1)
	}
}

// ObserveIntegration counts one call of a backend. The latency is not negative.
func (c *Cell) ObserveIntegration(latency time.Duration) {
	c.buckets[bucketOf(latency)].integration.Add(1)
	c.integration.Add(uint64(latency))
}
