package upstream

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// watchEvery is how often clients are looked at.
const watchEvery = 100 * time.Millisecond

// Watcher ends calls whose client went away. One serves a whole gateway, with one goroutine.
//
// It looks at the clients of calls that are 100 ms old or more, every 100 ms: a call is abandoned 100 to 250 ms after
// its client closed or reset the connection. A client that only shut down its sending half cannot be told from one that
// is gone, and counts as gone, as it does with nginx. Clients without a socket beneath them are not watched.
type Watcher struct {
	tick atomic.Uint64
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	conns []*conn // all open connections of all upstreams, idle ones too
}

// NewWatcher starts a Watcher. It runs until Close.
func NewWatcher() *Watcher {
	w := &Watcher{stop: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Close stops watching and waits for the goroutine. Calls under way go on unwatched. It must be called once.
func (w *Watcher) Close() {
	close(w.stop)
	<-w.done
}

func (w *Watcher) run() {
	defer close(w.done)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	p := newProbe()
	var scratch []*conn
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
		now := w.tick.Add(1)
		w.mu.Lock()
		scratch = append(scratch[:0], w.conns...)
		w.mu.Unlock()
		for _, cn := range scratch {
			cn.watch.look(cn, p, now)
		}
		clear(scratch)
	}
}

func (w *Watcher) add(cn *conn) {
	if w == nil {
		return
	}
	w.mu.Lock()
	cn.watch.index = len(w.conns)
	w.conns = append(w.conns, cn)
	w.mu.Unlock()
}

func (w *Watcher) remove(cn *conn) {
	if w == nil {
		return
	}
	w.mu.Lock()
	last := len(w.conns) - 1
	moved := w.conns[last]
	w.conns[cn.watch.index] = moved
	moved.watch.index = cn.watch.index
	w.conns[last] = nil
	w.conns = w.conns[:last]
	w.mu.Unlock()
}

// now gives the current tick.
func (w *Watcher) now() uint64 {
	if w == nil {
		return 0
	}
	return w.tick.Load()
}

// watch is the part of a connection that its Watcher may touch. It names a client only while a call is under way, so a
// connection that went back to the pool is never ended for its last call's sake.
type watch struct {
	mu     sync.Mutex
	client net.Conn
	since  uint64
	gone   bool   // set once; the connection is never used again
	cancel func() // ends a dial

	index int // in Watcher.conns, guarded by Watcher.mu
}

// look ends the call on cn if it is a tick old and its client is gone.
func (w *watch) look(cn *conn, p *probe, now uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client == nil || w.gone || now < w.since+2 {
		return
	}
	if p.of(rawOf(w.client)) != gone {
		return
	}
	w.gone = true
	if w.cancel != nil {
		w.cancel()
		return
	}
	_ = cn.nc.SetDeadline(time.Unix(1, 0))
}
