package metrics

import (
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Gauge exports a number that goes up and down. read is called at every scrape, perhaps several times at once.
// The error says that the name is taken or malformed.
func (m *Metrics) Gauge(name, help string, labels map[string]string, read func() float64) error {
	opts := prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}
	return m.register(name, prometheus.NewGaugeFunc(opts, read))
}

// Counter exports a number that only grows; its name ends in "_total". read is called as that of Gauge is.
func (m *Metrics) Counter(name, help string, labels map[string]string, read func() float64) error {
	opts := prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}
	return m.register(name, prometheus.NewCounterFunc(opts, read))
}

func (m *Metrics) register(name string, c prometheus.Collector) error {
	if err := m.registry.Register(c); err != nil {
		return fmt.Errorf("export metric %s: %w", name, err)
	}
	return nil
}

// Listener is what the client's side has to tell.
type Listener struct {
	// Open connections now.
	Open int
	// Accepted connections, and requests that were refused because they are not well-formed HTTP.
	Accepted, Malformed uint64
}

// WatchListener exports the client's side. read is called at every scrape, as those of the other Watch methods are,
// perhaps by several goroutines at once. Each Watch method may be called once.
func (m *Metrics) WatchListener(read func() Listener) error {
	g := &group{}
	open := g.gauge("gatehouse_connections", "Connections of clients that are open.")
	accepted := g.counter("gatehouse_connections_accepted_total", "Connections of clients that were accepted.")
	malformed := g.counter("gatehouse_malformed_requests_total", "Requests refused since they are not well-formed HTTP.")
	g.collect = func(put put) {
		l := read()
		put(open, float64(l.Open))
		put(accepted, float64(l.Accepted))
		put(malformed, float64(l.Malformed))
	}
	return m.register("gatehouse_connections", g)
}

// Throttle is what limits and quotas have to tell.
type Throttle struct {
	// Throttled requests met an empty bucket, QuotaExceeded ones a used-up quota.
	Throttled, QuotaExceeded uint64
	// Buckets and Counters are held in memory now.
	Buckets, Counters int
	// StoreFailing says that quota counters cannot be saved at the moment.
	StoreFailing bool
}

// WatchThrottle exports limits and quotas.
func (m *Metrics) WatchThrottle(read func() Throttle) error {
	g := &group{}
	refused := g.counter("gatehouse_throttle_refused_total", "Requests over a limit, by the kind of limit.", "limit")
	buckets := g.gauge("gatehouse_throttle_buckets", "Token buckets in memory.")
	counters := g.gauge("gatehouse_throttle_quota_counters", "Quota counters in memory.")
	failing := g.gauge("gatehouse_throttle_store_failing", "1 while quota counters cannot be saved, else 0.")
	g.collect = func(put put) {
		t := read()
		put(refused, float64(t.Throttled), "rate")
		put(refused, float64(t.QuotaExceeded), "quota")
		put(buckets, float64(t.Buckets))
		put(counters, float64(t.Counters))
		put(failing, bit(t.StoreFailing))
	}
	return m.register("gatehouse_throttle", g)
}

// AccessLog is what the access log has to tell.
type AccessLog struct{ Lines, Dropped, Failures uint64 }

// WatchAccessLog exports the state of the access log.
func (m *Metrics) WatchAccessLog(read func() AccessLog) error {
	g := &group{}
	lines := g.counter("gatehouse_access_log_lines_total", "Lines that were written to the access log.")
	dropped := g.counter("gatehouse_access_log_dropped_total", "Lines that the access log had no room for.")
	failures := g.counter("gatehouse_access_log_failures_total", "Writes to the access log that failed.")
	g.collect = func(put put) {
		l := read()
		put(lines, float64(l.Lines))
		put(dropped, float64(l.Dropped))
		put(failures, float64(l.Failures))
	}
	return m.register("gatehouse_access_log", g)
}

// Snapshot is what is known of the snapshot that is served.
type Snapshot struct {
	// Revision counts the swaps; 0 before the first.
	Revision uint64
	// Swapped is when the snapshot became current.
	Swapped time.Time
	// LastReloadOK is false while the definitions as they are now do not compile; Failures counts such attempts.
	LastReloadOK bool
	Failures     uint64
}

// WatchSnapshot exports what is served.
func (m *Metrics) WatchSnapshot(read func() Snapshot) error {
	g := &group{}
	info := g.gauge("gatehouse_snapshot_info", "Always 1; the label is the revision that is served.", "revision")
	swapped := g.gauge("gatehouse_snapshot_swapped_timestamp_seconds", "When that revision became current, in Unix time.")
	ok := g.gauge("gatehouse_snapshot_last_reload_ok", "1 when the last reload was published, 0 when it was refused.")
	failures := g.counter("gatehouse_snapshot_reload_failures_total", "Reloads that were refused.")
	g.collect = func(put put) {
		s := read()
		put(info, 1, strconv.FormatUint(s.Revision, 10))
		if !s.Swapped.IsZero() {
			put(swapped, float64(s.Swapped.UnixMilli())/1000)
		}
		put(ok, bit(s.LastReloadOK))
		put(failures, float64(s.Failures))
	}
	return m.register("gatehouse_snapshot", g)
}

// Upstream is what one upstream has to tell.
type Upstream struct {
	// ID is unique among those of one scrape.
	ID                    string
	Open, Idle            int
	Calls, Dials, Retries uint64
	// Failures is keyed by kind.
	Failures map[string]uint64
}

// WatchUpstreams exports all upstreams that there are at the time of a scrape.
func (m *Metrics) WatchUpstreams(read func() iter.Seq[Upstream]) error {
	g := &group{}
	open := g.gauge("gatehouse_upstream_connections", "Connections to backends that are open.", "upstream")
	idle := g.gauge("gatehouse_upstream_idle_connections", "Those of them that wait for a request.", "upstream")
	calls := g.counter("gatehouse_upstream_calls_total", "Calls of backends.", "upstream")
	dials := g.counter("gatehouse_upstream_dials_total", "Connections to backends that were attempted.", "upstream")
	retries := g.counter("gatehouse_upstream_retries_total", "Calls sent again after an idle connection was found closed.", "upstream")
	failures := g.counter("gatehouse_upstream_failures_total", "Calls that failed, by kind.", "upstream", "kind")
	g.collect = func(put put) {
		for u := range read() {
			id := valid(u.ID)
			put(open, float64(u.Open), id)
			put(idle, float64(u.Idle), id)
			put(calls, float64(u.Calls), id)
			put(dials, float64(u.Dials), id)
			put(retries, float64(u.Retries), id)
			for kind, n := range u.Failures {
				put(failures, float64(n), id, valid(kind))
			}
		}
	}
	return m.register("gatehouse_upstream", g)
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// group is several metrics that come from one reading, so that they agree with each other.
type group struct {
	kinds   []described
	collect func(put)
}

type described struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// put hands over one value of the metric that gauge or counter gave.
type put func(metric int, value float64, labels ...string)

func (g *group) gauge(name, help string, labels ...string) int {
	return g.add(prometheus.GaugeValue, name, help, labels)
}

func (g *group) counter(name, help string, labels ...string) int {
	return g.add(prometheus.CounterValue, name, help, labels)
}

func (g *group) add(kind prometheus.ValueType, name, help string, labels []string) int {
	g.kinds = append(g.kinds, described{prometheus.NewDesc(name, help, labels, nil), kind})
	return len(g.kinds) - 1
}

// Describe is for the registry.
func (g *group) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range g.kinds {
		ch <- d.desc
	}
}

// Collect is for the registry.
func (g *group) Collect(ch chan<- prometheus.Metric) {
	g.collect(func(metric int, value float64, labels ...string) {
		d := g.kinds[metric]
		c, err := prometheus.NewConstMetric(d.desc, d.kind, value, labels...)
		if err != nil {
			c = prometheus.NewInvalidMetric(d.desc, err)
		}
		ch <- c
	})
}
