package upstream

import "sync/atomic"

// counters are what an Upstream counts while it runs.
type counters struct {
	calls, dials, retries atomic.Uint64
	failures              [kinds]atomic.Uint64
}

// Stats is what an Upstream has done, and the connections it has now.
type Stats struct {
	// Open connections, those being dialed and those idle included.
	Open int
	Idle int
	// Calls were begun, Dials attempted, Retries made because an idle connection turned out to be closed.
	Calls, Dials, Retries uint64

	failures [kinds]uint64
}

// Failed gives the number of failures of one kind. A body that failed after Call had returned is counted too.
func (s Stats) Failed(k Kind) uint64 {
	if k >= kinds {
		return 0
	}
	return s.failures[k]
}

// Kinds lists all kinds of failure, in the order of their values.
func Kinds() []Kind {
	list := make([]Kind, 0, kinds-1)
	for k := Kind(1); k < kinds; k++ {
		list = append(list, k)
	}
	return list
}

// Stats gives the counters; it may be called at any time.
func (u *Upstream) Stats() Stats {
	s := Stats{Calls: u.counters.calls.Load(), Dials: u.counters.dials.Load(), Retries: u.counters.retries.Load()}
	for k := range s.failures {
		s.failures[k] = u.counters.failures[k].Load()
	}
	for i := range u.servers {
		open, idle := u.servers[i].count()
		s.Open += open
		s.Idle += idle
	}
	return s
}
