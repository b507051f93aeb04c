package throttle

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
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
	// SaveEvery is the least pause between two saves; 0 is one second.
	SaveEvery time.Duration
}

// Ledger holds the token buckets and the quota counters of all snapshots by id. Its methods may be called by many
// goroutines at once.
//
// Memory is bounded by what is in use: a minute's sweep drops buckets that are full, since a new one is no different, and
// counters a day after their period (400 days after it, if their quota has an offset). A key's bucket and counter in a plan
// are made together by the key's first request, and dropped when neither is needed.
//
// Counters that changed are saved a second after the save before, in one transaction. When a save takes longer than 20 ms,
// the pause after it is 50 times as long as it took, but at most ten seconds: so that saving costs at most 2 % of a CPU
// while many keys count. A process that is killed forgets the requests counted since: those of one second to ten. One that
// is closed forgets none. A keeper that fails holds nothing up: counting goes on in memory and what was not saved is tried
// again after the pause.
type Ledger struct {
	config   Config
	began    time.Time
	buckets  *registry[bucket] // of routes, stages and the account
	accounts *registry[account]
	rows     rows
	// inUse is the number of accounts whose counter is used.
	inUse atomic.Int64
	// changed is a list of accounts whose counter is to be saved, linked by account.next.
	changed atomic.Pointer[account]

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
		buckets: newRegistry[bucket](), accounts: newRegistry[account](),
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
	// Buckets and Counters that are held now. A key has a bucket in each of its plans, with a limit or not.
	Buckets, Counters int64
	// SaveFailures since the start.
	SaveFailures uint64
}

// Stats gives the numbers of this moment, each by itself.
func (l *Ledger) Stats() Stats {
	return Stats{
		RefusedKey: l.refusedKey.Load(), RefusedRoute: l.refusedRoute.Load(), RefusedQuota: l.refusedQuota.Load(),
		Buckets: l.buckets.size.Load() + l.accounts.size.Load(), Counters: l.inUse.Load(), SaveFailures: l.fails.Load(),
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

// take takes a token from the bucket of an id and gives the bucket, nil when it refused. found remembers the bucket.
func (l *Ledger) take(found *atomic.Pointer[bucket], id string, now int64, p pace) *bucket {
	b := found.Load()
	for {
		switch b.take(now, p) {
		case passed:
			return b
		case refused:
			return nil
		case outdated: // swept since
		}
		b = l.bucket(id)
		found.Store(b)
	}
}

// touch puts an account on the list of those whose counter is to be saved, once.
func (l *Ledger) touch(a *account) {
	changed := &a.counter.changed
	if l.config.Keeper == nil || changed.Load() || !changed.CompareAndSwap(false, true) {
		return
	}
	for {
		head := l.changed.Load()
		a.next = head
		if l.changed.CompareAndSwap(head, a) {
			return
		}
	}
}
