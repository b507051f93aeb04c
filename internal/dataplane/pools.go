package dataplane

import (
	"crypto/x509"
	"iter"
	"sync"
	"time"

	"gatehouse/internal/dataplane/integrate/httpproxy"
	"gatehouse/internal/dataplane/integrate/upstream"
	"gatehouse/internal/snapshot"
)

// Pools are the connections to all backends, by upstream id. They outlive snapshots.
type Pools struct {
	watcher *upstream.Watcher
	mu      sync.RWMutex
	all     map[string]*upstream.Upstream
}

// NewPools makes an empty registry. Close ends it.
func NewPools() *Pools {
	return &Pools{watcher: upstream.NewWatcher(), all: map[string]*upstream.Upstream{}}
}

// Proxy makes the integration that calls backends through these pools.
func (p *Pools) Proxy(now func() time.Time) *httpproxy.Proxy {
	return httpproxy.New(httpproxy.Config{Now: now, Upstream: func(u *snapshot.Upstream) httpproxy.Caller {
		p.mu.RLock()
		defer p.mu.RUnlock()
		return p.all[u.ID]
	}})
}

// Each gives all pools and their ids.
func (p *Pools) Each() iter.Seq2[string, *upstream.Upstream] {
	return func(yield func(string, *upstream.Upstream) bool) {
		p.mu.RLock()
		defer p.mu.RUnlock()
		for id, u := range p.all {
			if !yield(id, u) {
				return
			}
		}
	}
}

// open makes the pools that a snapshot needs and that are not there yet.
func (p *Pools) open(s *snapshot.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, u := range s.Upstreams {
		if p.all[id] == nil {
			p.all[id] = upstream.New(p.config(u))
		}
	}
}

func (p *Pools) config(u *snapshot.Upstream) upstream.Config {
	c := upstream.Config{
		Name: u.Host, ServerName: u.ServerName, InsecureSkipVerify: u.InsecureSkipVerification,
		MaxConns: u.MaxConnections, IdleTimeout: u.IdleTimeout, Watcher: p.watcher,
	}
	for _, s := range u.Servers {
		c.Servers = append(c.Servers, upstream.Server{Addr: s.Addr, TLS: s.TLS})
	}
	if len(u.CA) > 0 {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM(u.CA)
	}
	return c
}

// closeOthers closes the pools that a snapshot does not need. Calls under way finish.
func (p *Pools) closeOthers(s *snapshot.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, u := range p.all {
		if s.Upstreams[id] == nil {
			u.Close()
			delete(p.all, id)
		}
	}
}

// Close closes all pools.
func (p *Pools) Close() {
	p.closeOthers(&snapshot.Snapshot{})
	p.watcher.Close()
}
