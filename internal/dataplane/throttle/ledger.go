package throttle

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/snapshot"
)

// Keeper keeps quota counters over a restart. It is called by one goroutine at a time.
type Keeper interface {
	// Load calls fn with every counter; the bytes are fn's.
	Load(ctx context.Context, fn func(id string, doc []byte) error) error
	// Save removes the counters of gone, then writes changed, all or nothing. It may range over changed again; its bytes
	// are good until it goes on.
	Save(ctx context.Context, gone []string, changed iter.Seq2[string, []byte]) error
}

// Config is what a ledger needs.
type Config struct {
	// Keeper keeps the quota counters; nil keeps them in memory only.
	Keeper Keeper
	// Now is the clock of the background work. Requests bring their own time.
	Now func() time.Time
	// Log hears of a keeper that fails; nil for nobody.
	Log *slog.Logger
	// SaveEvery is the pause between two saves; 0 is one second.
	SaveEvery time.Duration
}

// Ledger holds the token buckets and the quota counters of all snapshots by id. Its methods may be called by many
// goroutines at once.
//
// Memory is bounded by what is in use: a minute's sweep drops buckets that are full, since a new one is no different, and
// counters a day after their period (400 days after it, if their quota has an offset). Buckets and counters of keys are
// made by a key's first request.
//
// Counters that changed are saved a second after the save before, in one transaction. A process that is killed forgets the
// requests counted since: about a second's. One that is closed forgets none. A keeper that fails holds nothing up:
// counting goes on in memory and what was not saved is tried again each second.
type Ledger struct {
	config   Config
	began    time.Time
	buckets  *registry[bucket]
	counters *registry[counter]
	uses     *uses
	// changed is a list of counters to be saved, linked by counter.next.
	changed atomic.Pointer[counter]

	saving  sync.Mutex
	gone    []string  // swept, and not yet removed from the keeper; under saving
	logged  time.Time // the last word about failing; under saving
	failing atomic.Pointer[error]
	fails   atomic.Uint64

	refusedKey, refusedRoute, refusedQuota atomic.Uint64

	stop    chan struct{}
	stopped sync.WaitGroup
	closing sync.Once
}

// Open makes a ledger, loads the counters and starts its background work, which Close ends. ctx is for loading. A counter
// that cannot be read is an error: to go on would forget what was used of a quota.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	if c.Now == nil {
		return nil, errors.New("throttle: Config.Now is not set")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.SaveEvery <= 0 {
		c.SaveEvery = time.Second
	}
	l := &Ledger{
		config: c, began: c.Now(), stop: make(chan struct{}),
		buckets: newRegistry[bucket](), counters: newRegistry[counter](),
		uses: &uses{seed: maphash.MakeSeed()},
	}
	if c.Keeper != nil {
		if err := c.Keeper.Load(ctx, l.load); err != nil {
			return nil, fmt.Errorf("load the quota counters: %w", err)
		}
	}
	background := context.WithoutCancel(ctx)
	l.stopped.Go(func() { l.work(background) })
	return l, nil
}

// Close ends the background work and saves what changed. Requests may still come, but what they count is lost.
func (l *Ledger) Close(ctx context.Context) error {
	l.closing.Do(func() { close(l.stop) })
	l.stopped.Wait()
	return l.Flush(ctx)
}

// Stats is what metrics show of a ledger.
type Stats struct {
	// Refused requests since the start: by a usage plan's rate, by a route's, stage's or account's, and by a quota.
	RefusedKey, RefusedRoute, RefusedQuota uint64
	// Buckets and Counters that are held now.
	Buckets, Counters int64
	// SaveFailures since the start.
	SaveFailures uint64
}

// Stats gives the numbers of this moment, each by itself.
func (l *Ledger) Stats() Stats {
	return Stats{
		RefusedKey: l.refusedKey.Load(), RefusedRoute: l.refusedRoute.Load(), RefusedQuota: l.refusedQuota.Load(),
		Buckets: l.buckets.size.Load(), Counters: l.counters.size.Load(), SaveFailures: l.fails.Load(),
	}
}

// since gives t in the buckets' time. It keeps to the monotonic clock when t has it.
func (l *Ledger) since(t time.Time) int64 { return int64(t.Sub(l.began)) }

// bucket gives the bucket of an id, made full when there is none.
func (l *Ledger) bucket(id string) *bucket {
	if b := l.buckets.find(id); b != nil {
		return b
	}
	b := &bucket{}
	b.full.Store(fresh)
	return l.buckets.add(strings.Clone(id), b) // a copy, as the id may be part of a snapshot's larger text
}

// take takes a token from the bucket of an id and gives the bucket, nil when it refused. found remembers the bucket; nil
// has it looked up each time.
func (l *Ledger) take(found *atomic.Pointer[bucket], id string, now int64, p pace) *bucket {
	var b *bucket
	if found != nil {
		b = found.Load()
	}
	for {
		if b != nil {
			switch b.take(now, p) {
			case passed:
				return b
			case refused:
				return nil
			case outdated: // swept since
			}
		}
		b = l.bucket(id)
		if found != nil {
			found.Store(b)
		}
	}
}

// count counts a request of a key, and reports whether its quota allows it. found remembers the
// counter.
func (l *Ledger) count(found *atomic.Pointer[counter], id string, t time.Time, q *snapshot.Quota) bool {
	c := found.Load()
	for {
		if c != nil {
			v, save := c.count(t, q)
			if save {
				l.touch(c)
			}
			if v != outdated {
				return v == passed
			}
		}
		if c = l.counters.find(id); c == nil {
			c = l.newCounter(id, spanOf(q.Period, t))
		}
		found.Store(c)
	}
}

// newCounter adds a counter, which is saved even if nothing is ever counted: when it was made matters for an offset.
func (l *Ledger) newCounter(id string, s span) *counter {
	c := &counter{id: strings.Clone(id), first: s}
	c.tally.Store(uint64(tallyOf(s, 0)))
	added := l.counters.add(c.id, c)
	l.touch(added)
	return added
}

// touch puts a counter on the list of those to be saved, once.
func (l *Ledger) touch(c *counter) {
	if l.config.Keeper == nil || c.changed.Load() || !c.changed.CompareAndSwap(false, true) {
		return
	}
	for {
		head := l.changed.Load()
		c.next = head
		if l.changed.CompareAndSwap(head, c) {
			return
		}
	}
}
