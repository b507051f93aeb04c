package management

import (
	"encoding/json"
	"net/http"
	"time"
)

// Snapshot is what is known of the snapshot that is served.
type Snapshot struct {
	// Revision counts the swaps.
	Revision uint64
	// Swapped is when it became current; zero before the first.
	Swapped time.Time
	// ReloadError is why the last reload was not published: one diagnostic an entry, as the log prints them. Empty when
	// it was.
	ReloadError []string
	// ReloadFailures counts the reloads that were refused.
	ReloadFailures uint64
}

// Check is one thing that can be wrong while requests are served.
type Check struct {
	// Name is the member of the answer's "checks".
	Name string
	// Find looks now. It is called by many goroutines at once and must not block.
	Find func() Finding
}

// Finding is what a Check found.
type Finding struct {
	// Problem is a sentence for a person; "" means that all is well.
	Problem string
	// Detail is shown beside it when it is not nil, as JSON.
	Detail any
}

// health is the answer of /healthz.
type health struct {
	Status   string            `json:"status"`
	Problems []string          `json:"problems,omitempty"`
	Snapshot *served           `json:"snapshot,omitempty"`
	Checks   map[string]result `json:"checks,omitempty"`
}

type served struct {
	Revision       uint64   `json:"revision"`
	Swapped        string   `json:"swapped"`
	AgeSeconds     int64    `json:"ageSeconds"`
	ReloadFailures uint64   `json:"reloadFailures"`
	ReloadError    []string `json:"reloadError,omitempty"`
}

type result struct {
	OK      bool   `json:"ok"`
	Problem string `json:"problem,omitempty"`
	Detail  any    `json:"detail,omitempty"`
}

// The words of "status".
const (
	statusOK       = "ok"
	statusDegraded = "degraded" // it serves, and something is wrong
	statusStarting = "starting" // nothing is served yet
	statusStopping = "stopping" // what is under way is finished
)

// healthz answers 200 as long as requests are served, also when something is wrong: restarting would not mend it.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	h, code := s.health(), http.StatusOK
	if h.Status == statusStarting {
		code = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	b, err := json.MarshalIndent(h, "", "  ")
	if err != nil { // a Finding's Detail that is no JSON
		s.cfg.Logger.Error("the answer of /healthz cannot be encoded", "error", err)
		code, b = http.StatusInternalServerError, []byte(`{"status":"degraded","problems":["internal error, see the log"]}`)
	}
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n'))
}

// readyz answers 200 while new requests should be sent here.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	switch {
	case s.draining.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("stopping\n"))
	case s.cfg.Snapshot().Swapped.IsZero():
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("starting\n"))
	default:
		_, _ = w.Write([]byte("ready\n"))
	}
}

// health asks everyone.
func (s *Server) health() health {
	snap := s.cfg.Snapshot()
	h := health{Status: statusOK, Checks: make(map[string]result, len(s.cfg.Checks))}
	if len(snap.ReloadError) > 0 {
		h.Problems = append(h.Problems, "the last reload was refused; the definitions from before are served")
	}
	for _, c := range s.cfg.Checks {
		f := c.Find()
		h.Checks[c.Name] = result{OK: f.Problem == "", Problem: f.Problem, Detail: f.Detail}
		if f.Problem != "" {
			h.Problems = append(h.Problems, c.Name+": "+f.Problem)
		}
	}
	if len(h.Problems) > 0 {
		h.Status = statusDegraded
	}
	if s.draining.Load() {
		h.Status = statusStopping
	}
	if snap.Swapped.IsZero() {
		h.Status = statusStarting
		return h
	}
	h.Snapshot = &served{
		Revision: snap.Revision, Swapped: snap.Swapped.UTC().Format(time.RFC3339),
		AgeSeconds:     int64(s.cfg.Now().Sub(snap.Swapped).Seconds()),
		ReloadFailures: snap.ReloadFailures, ReloadError: snap.ReloadError,
	}
	return h
}
