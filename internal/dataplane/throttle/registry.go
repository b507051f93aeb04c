package throttle

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
)

// shards is a power of two, enough that two requests seldom meet on one lock.
const shards = 256

// registry holds values by id. A request finds its value under a read lock that it shares with a 256th of the others.
type registry[T any] struct {
	seed   maphash.Seed
	size   atomic.Int64
	shards [shards]shard[T]
}

type shard[T any] struct {
	mu sync.RWMutex
	m  map[string]*T
	_  [32]byte // a cache line each
}

func newRegistry[T any]() *registry[T] { return &registry[T]{seed: maphash.MakeSeed()} }

func (r *registry[T]) shard(id string) *shard[T] {
	return &r.shards[maphash.String(r.seed, id)%shards]
}

// find gives the value of an id, nil when there is none.
func (r *registry[T]) find(id string) *T {
	s := r.shard(id)
	s.mu.RLock()
	v := s.m[id]
	s.mu.RUnlock()
	return v
}

// add gives the value of an id, and it is v unless another one was quicker.
func (r *registry[T]) add(id string, v *T) *T {
	s := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if there := s.m[id]; there != nil {
		return there
	}
	if s.m == nil {
		s.m = map[string]*T{}
	}
	s.m[id] = v
	r.size.Add(1)
	return v
}

// sweep drops the values for which drop is true. Each lock is held for its shard's share of the work.
func (r *registry[T]) sweep(drop func(id string, v *T) bool) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		before := len(s.m)
		for id, v := range s.m {
			if drop(id, v) {
				delete(s.m, id)
			}
		}
		r.size.Add(int64(len(s.m) - before))
		if len(s.m) < before/2 {
			s.m = shrunk(s.m) // a map keeps the room of what was deleted
		}
		s.mu.Unlock()
	}
}

func shrunk[T any](m map[string]*T) map[string]*T {
	small := make(map[string]*T, len(m))
	maps.Copy(small, m)
	return small
}
