package metrics

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gatehouse/internal/fault"
)

// Config is what Metrics needs to know. The zero value is usable.
type Config struct {
	// Version is Gatehouse's own, for gatehouse_build_info; "" leaves that metric out.
	Version string
	// MaxRoutes bounds the routes that are counted one by one; the rest of a stage shares the route "(other)".
	// 0 means DefaultMaxRoutes.
	MaxRoutes int
	// Keep is how long the numbers of a route that is gone are still exported, so that its last requests are scraped.
	// 0 means 15 minutes.
	Keep time.Duration
	// IntegrationErrors are the kinds that are exported as 0 before they first happen.
	IntegrationErrors []string
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// DefaultMaxRoutes is Config.MaxRoutes where nothing is said. A route in use exports 39 lines.
const DefaultMaxRoutes = 2000

// maxErrorKinds bounds the kinds of integration error; others are counted as "other".
const maxErrorKinds = 32

// Metrics is the registry of one gateway. It may be used by many goroutines at once.
type Metrics struct {
	cfg      Config
	registry *prometheus.Registry
	cells    cells
	refused  [fault.All]prometheus.Counter
	errors   *prometheus.CounterVec
	kinds    atomic.Pointer[map[string]prometheus.Counter]

	mu sync.Mutex // held to add to kinds
}

// New makes a registry with Gatehouse's own metrics and those of the Go runtime and the process.
func New(cfg Config) *Metrics {
	if cfg.MaxRoutes == 0 {
		cfg.MaxRoutes = DefaultMaxRoutes
	}
	if cfg.Keep == 0 {
		cfg.Keep = 15 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := &Metrics{cfg: cfg, registry: prometheus.NewRegistry(), cells: cells{by: map[Labels]*Cell{}}}
	refused := counterVec("refused_total", "Requests answered with a gateway response, by its type.", "type")
	for k := range fault.All {
		if k.String() != "" {
			m.refused[k] = refused.WithLabelValues(k.String())
		}
	}
	m.errors = counterVec("integration_errors_total", "Calls of a backend that gave no answer, by kind of error.", "kind")
	m.registry.MustRegister(
		newCollector(&m.cells), refused, m.errors,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.kinds.Store(&map[string]prometheus.Counter{})
	for _, k := range cfg.IntegrationErrors {
		m.addErrorKind(k)
	}
	if cfg.Version != "" {
		info := prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gatehouse_build_info", Help: "Always 1; the label says which Gatehouse this is.",
			ConstLabels: prometheus.Labels{"version": cfg.Version},
		})
		info.Set(1)
		m.registry.MustRegister(info)
	}
	return m
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_" + name, Help: help}, labels)
}

// Refused counts a refusal by its type.
func (m *Metrics) Refused(k fault.Kind) {
	if k < fault.All && m.refused[k] != nil {
		m.refused[k].Inc()
	}
}

// IntegrationError counts a call that failed. The kind is a word of a small set.
func (m *Metrics) IntegrationError(kind string) {
	c, ok := (*m.kinds.Load())[kind]
	if !ok {
		c = m.addErrorKind(kind)
	}
	c.Inc()
}

// addErrorKind finds or makes the counter of a kind.
func (m *Metrics) addErrorKind(kind string) prometheus.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.kinds.Load()
	if len(old) >= maxErrorKinds {
		kind = "other"
	}
	kind = valid(kind)
	if c, ok := old[kind]; ok {
		return c
	}
	kinds := make(map[string]prometheus.Counter, len(old)+1)
	maps.Copy(kinds, old)
	kinds[kind] = m.errors.WithLabelValues(kind)
	m.kinds.Store(&kinds)
	return kinds[kind]
}

// Handler answers a scrape. No more than four scrapes run at once, each for at most 20 seconds.
func (m *Metrics) Handler() http.Handler {
	h := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, Timeout: 20 * time.Second,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.sweep()
		h.ServeHTTP(w, r)
	})
}
