package throttle

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"gatehouse/internal/snapshot"
)

// uses remembers which bucket and counter a plan use of a snapshot has, as the way over two ids costs ten cache misses
// when there are many keys. It is one open table for all routes, read without a lock. Each sweep empties it, so that it
// keeps no snapshot's memory alive for long, and so does growing over maxUses.
type uses struct {
	seed   maphash.Seed
	table  atomic.Pointer[useTable]
	adding sync.Mutex
}

// useTable has a power of two of slots, at most half of them taken. A slot's use is set once.
type useTable struct {
	slots []useSlot
	taken int // under uses.adding
}

// useSlot has 32 bytes, two for a cache line. Its pointers are nil until they are needed.
type useSlot struct {
	use     atomic.Pointer[snapshot.PlanUse]
	bucket  atomic.Pointer[bucket]
	counter atomic.Pointer[counter]
	_       uint64
}

const (
	minUses = 64
	maxUses = 1 << 20
)

// of gives the slot of a use. The slot may stop being the one that is found later, which loses nothing but time.
func (u *uses) of(use *snapshot.PlanUse) *useSlot {
	hash := maphash.Comparable(u.seed, use)
	if t := u.table.Load(); t != nil {
		if s := t.find(use, hash); s.use.Load() == use { // a free slot may have become another's
			return s
		}
	}
	return u.add(use, hash)
}

// find gives the slot of use, or the free one where it belongs.
func (t *useTable) find(use *snapshot.PlanUse, hash uint64) *useSlot {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if there := s.use.Load(); there == use || there == nil {
			return s
		}
	}
}

func (u *uses) add(use *snapshot.PlanUse, hash uint64) *useSlot {
	u.adding.Lock()
	defer u.adding.Unlock()
	t := u.table.Load()
	if t == nil || t.taken >= maxUses {
		t = &useTable{slots: make([]useSlot, 2*minUses)}
		u.table.Store(t)
	}
	if t.taken >= len(t.slots)/2 {
		t = u.grown(t)
		u.table.Store(t)
	}
	s := t.find(use, hash)
	if s.use.Load() == nil {
		s.use.Store(use)
		t.taken++
	}
	return s
}

func (u *uses) grown(t *useTable) *useTable {
	more := &useTable{slots: make([]useSlot, 2*len(t.slots)), taken: t.taken}
	for i := range t.slots {
		from := &t.slots[i]
		if use := from.use.Load(); use != nil {
			to := more.find(use, maphash.Comparable(u.seed, use))
			to.bucket.Store(from.bucket.Load())
			to.counter.Store(from.counter.Load())
			to.use.Store(use)
		}
	}
	return more
}

// forget empties the table.
func (u *uses) forget() {
	u.adding.Lock()
	defer u.adding.Unlock()
	u.table.Store(nil)
}
