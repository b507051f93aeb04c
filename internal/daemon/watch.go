package daemon

import (
	"errors"
	"iter"
	"strings"

	"gatehouse/internal/dataplane/integrate/upstream"
	"gatehouse/internal/telemetry/management"
	"gatehouse/internal/telemetry/metrics"
)

// watch lets the metrics read the parts.
func (d *Daemon) watch() error {
	return errors.Join(
		d.metrics.WatchListener(func() metrics.Listener {
			return metrics.Listener{
				Open: int(d.server.Open()), Accepted: uint64(d.server.Accepted()), Malformed: uint64(d.server.Malformed()),
			}
		}),
		d.metrics.WatchThrottle(func() metrics.Throttle {
			s := d.ledger.Stats()
			return metrics.Throttle{
				Throttled: s.RefusedKey + s.RefusedRoute, QuotaExceeded: s.RefusedQuota,
				Buckets: int(s.Buckets), Counters: int(s.Counters), StoreFailing: d.ledger.Failing() != nil,
			}
		}),
		d.metrics.WatchAccessLog(func() metrics.AccessLog {
			s := d.access.Stats()
			return metrics.AccessLog{Lines: s.Written, Dropped: s.Dropped, Failures: s.Failures}
		}),
		d.metrics.WatchSnapshot(func() metrics.Snapshot {
			s := d.publisher.Status()
			return metrics.Snapshot{Revision: s.Revision, Swapped: s.Swapped, LastReloadOK: len(s.Errors) == 0, Failures: s.Failures}
		}),
		d.metrics.WatchUpstreams(d.upstreams),
	)
}

// upstreams adds up the pools of each backend host.
func (d *Daemon) upstreams() iter.Seq[metrics.Upstream] {
	all := map[string]*metrics.Upstream{}
	for id, u := range d.pools.Each() {
		name, _, _ := strings.Cut(id, "#") // the rest changes with the servers and TLS settings
		sum := all[name]
		if sum == nil {
			sum = &metrics.Upstream{ID: name, Failures: map[string]uint64{}}
			all[name] = sum
		}
		s := u.Stats()
		sum.Open, sum.Idle = sum.Open+s.Open, sum.Idle+s.Idle
		sum.Calls, sum.Dials, sum.Retries = sum.Calls+s.Calls, sum.Dials+s.Dials, sum.Retries+s.Retries
		for _, k := range upstream.Kinds() {
			sum.Failures[k.String()] += s.Failed(k)
		}
	}
	return func(yield func(metrics.Upstream) bool) {
		for _, sum := range all {
			if !yield(*sum) {
				return
			}
		}
	}
}

// errorKind names the kind of a failed call.
func errorKind(err error) string { return upstream.KindOf(err).String() }

func errorKinds() []string {
	var names []string
	for _, k := range upstream.Kinds() {
		names = append(names, k.String())
	}
	return names
}

// served tells /healthz and /readyz what is served.
func (d *Daemon) served() management.Snapshot {
	s := d.publisher.Status()
	return management.Snapshot{Revision: s.Revision, Swapped: s.Swapped, ReloadError: s.Errors, ReloadFailures: s.Failures}
}

// checks are what /healthz looks at.
func (d *Daemon) checks() []management.Check {
	return []management.Check{
		{Name: "store", Find: func() management.Finding { return finding(d.ledger.Failing(), "quota counters are not saved") }},
		{Name: "accessLog", Find: func() management.Finding {
			s := d.access.Stats()
			f := finding(s.Failing, "the access log cannot be written")
			f.Detail = map[string]uint64{"lines": s.Written, "dropped": s.Dropped}
			return f
		}},
	}
}

func finding(err error, what string) management.Finding {
	if err == nil {
		return management.Finding{}
	}
	return management.Finding{Problem: what + ": " + err.Error()}
}
