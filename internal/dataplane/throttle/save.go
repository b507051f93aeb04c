package throttle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	sweepEvery  = time.Minute
	logEvery    = time.Minute
	saveTimeout = 10 * time.Second

	// The pause after a save, in times of what it took, and the longest one.
	savePause    = 50
	maxSavePause = 10 * time.Second
)

// work saves and sweeps until the ledger is closed.
func (l *Ledger) work(ctx context.Context) {
	save := time.NewTimer(l.config.SaveEvery)
	defer save.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-save.C:
			began := l.config.Now()
			_ = l.Flush(ctx) // Failing tells, and the log
			save.Reset(l.pause(l.config.Now().Sub(began)))
		case <-sweep.C:
			l.Sweep(l.config.Now())
		}
	}
}

// pause is how long to wait after a save.
func (l *Ledger) pause(took time.Duration) time.Duration {
	return max(l.config.SaveEvery, min(savePause*took, maxSavePause))
}

// Flush saves what changed now. It gives up after ten seconds. Counters that it could not save stay to be saved.
func (l *Ledger) Flush(ctx context.Context) error {
	l.saving.Lock()
	defer l.saving.Unlock()
	changed := l.takeChanged()
	if len(changed) == 0 && len(l.gone) == 0 {
		return nil
	}
	// Neighbours share the keeper's pages: in this order, saving 10,000 counters of 100,000 costs half.
	slices.SortFunc(changed, func(a, b *account) int { return strings.Compare(a.id, b.id) })
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	err := l.config.Keeper.Save(ctx, l.gone, func(yield func(string, []byte) bool) {
		var doc []byte
		for _, a := range changed {
			doc = a.counter.appendDoc(doc[:0])
			if !yield(a.id, doc) {
				return
			}
		}
	})
	if err != nil {
		for _, a := range changed {
			l.touch(a)
		}
		err = fmt.Errorf("save the quota counters: %w", err)
	} else {
		l.gone = nil
	}
	l.tell(err)
	return err
}

// takeChanged empties the list. A counter's mark goes before its tally is read, so that a change meanwhile marks it again.
func (l *Ledger) takeChanged() []*account {
	var all []*account
	for a := l.changed.Swap(nil); a != nil; {
		next := a.next
		a.next = nil
		a.counter.changed.Store(false)
		all = append(all, a)
		a = next
	}
	return all
}

// tell keeps Failing and says in the log that saving fails, once a minute, and that it works again.
func (l *Ledger) tell(err error) {
	if err == nil {
		if l.failing.Swap(nil) != nil {
			l.config.Log.Info("quota counters are saved again")
			l.logged = time.Time{}
		}
		return
	}
	l.failing.Store(&err)
	l.fails.Add(1)
	if now := l.config.Now(); l.logged.IsZero() || now.Sub(l.logged) >= logEvery {
		l.logged = now
		l.config.Log.Error("quota counters are kept in memory only until they can be saved", "error", err)
	}
}

// Failing gives the error of the last save, nil when it went well.
func (l *Ledger) Failing() error {
	if err := l.failing.Load(); err != nil {
		return *err
	}
	return nil
}

// Sweep drops what is of no use any more at the time now; the background work calls it each minute. A request that holds
// what is being dropped notices and asks again, so nothing is let through twice.
func (l *Ledger) Sweep(now time.Time) {
	l.rows.forget()
	at := l.since(now)
	l.buckets.sweep(func(_ string, b *bucket) bool { return b.sweep(at) })
	l.saving.Lock() // a counter must not go while it is being saved
	defer l.saving.Unlock()
	l.accounts.sweep(func(id string, a *account) bool {
		was, dropped := a.sweep(at, now)
		if dropped && was != unused {
			l.inUse.Add(-1)
			if l.config.Keeper != nil {
				l.gone = append(l.gone, id)
			}
		}
		return dropped
	})
}
