package publish

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
)

// Config says what is published and how changes are noticed.
type Config struct {
	// Path of a gatehouse.yaml or an OpenAPI document.
	Path string
	Env  LookupEnv
	// Poll is how often the files are looked at; default 250 ms.
	Poll time.Duration
	// Swap makes a snapshot current.
	Swap func(*snapshot.Snapshot)
	Log  *slog.Logger
}

// Status is what is known of the last publishing.
type Status struct {
	// Revision counts the swaps; Swapped is when the last one was.
	Revision uint64
	Swapped  time.Time
	// Failures counts definitions that were not published; Errors are those of the last one, empty after a success.
	Failures uint64
	Errors   []string
}

// Publisher publishes one config again and again. It is safe for concurrent use.
type Publisher struct {
	config Config
	reload chan struct{}

	mu     sync.Mutex // guards status and what follows
	status Status
	seen   map[string]stamp
	first  *config.File
}

// New makes a publisher; Start publishes for the first time.
func New(c Config) *Publisher {
	if c.Poll <= 0 {
		c.Poll = 250 * time.Millisecond
	}
	return &Publisher{config: c, reload: make(chan struct{}, 1)}
}

// Start publishes a result that was read before, and remembers which files it came from.
func (p *Publisher) Start(r Result) {
	p.mu.Lock()
	p.first = r.File.Settings()
	p.seen = stamps(r.File.Files)
	p.mu.Unlock()
	p.publish(r)
}

// Run watches the files until ctx ends.
func (p *Publisher) Run(ctx context.Context) {
	tick := time.NewTicker(p.config.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.reload:
			p.again("told to")
		case <-tick.C:
			if p.changed() {
				p.again("a file changed")
			}
		}
	}
}

// Reload makes Run read the config now. It does not wait.
func (p *Publisher) Reload() {
	select {
	case p.reload <- struct{}{}:
	default: // one is waiting already and will see this change too
	}
}

// Status tells how the last publishing went.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

func (p *Publisher) again(why string) {
	start := time.Now()
	r := Read(p.config.Path, p.config.Env, start)
	p.mu.Lock()
	p.seen = stamps(r.File.Files)
	p.mu.Unlock()
	if r.Diagnostics.HasErrors() {
		p.failed(r.Diagnostics)
		return
	}
	p.publish(r)
	p.config.Log.Info("published", "reason", why, "revision", p.Status().Revision, "routes", len(r.Snapshot.Routes),
		"keys", r.Snapshot.Keys.Len(), "took", time.Since(start).Round(time.Millisecond).String())
	p.needsRestart(r.File)
}

func (p *Publisher) publish(r Result) {
	for _, d := range r.Diagnostics {
		if d.Severity == definition.Warning {
			p.config.Log.Warn(d.Message, "code", d.Code, "at", d.Place.String(), "hint", d.Hint)
		}
	}
	p.config.Swap(r.Snapshot)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Revision++
	p.status.Swapped = r.Snapshot.Made
	p.status.Errors = nil
}

func (p *Publisher) failed(all definition.Diagnostics) {
	var errs []string
	for _, d := range all {
		if d.Severity == definition.Error {
			errs = append(errs, d.String())
			p.config.Log.Error(d.Message, "code", d.Code, "at", d.Place.String(), "hint", d.Hint)
		}
	}
	p.config.Log.Error("not published: the definition has errors, and the one before is served on", "errors", len(errs))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Failures++
	p.status.Errors = errs
}

// needsRestart tells of changes that take effect at the next start only.
func (p *Publisher) needsRestart(f *config.File) {
	p.mu.Lock()
	first := p.first
	p.mu.Unlock()
	if f.Listen != first.Listen || f.Management != first.Management || f.Data != first.Data || f.Log != first.Log {
		p.config.Log.Warn("changes of listen, management, data and log take effect at the next start")
	}
}
