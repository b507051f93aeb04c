package daemon

import (
	"errors"
	"iter"

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

func (d *Daemon) upstreams() iter.Seq[metrics.Upstream] {
	return func(yield func(metrics.Upstream) bool) {
		for id, u := range d.pools.Each() {
			s := u.Stats()
			failures := map[string]uint64{}
			for _, k := range upstream.Kinds() {
				failures[k.String()] = s.Failed(k)
			}
			if !yield(metrics.Upstream{
				ID: id, Open: s.Open, Idle: s.Idle, Calls: s.Calls, Dials: s.Dials, Retries: s.Retries, Failures: failures,
			}) {
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
