package snapshot

import (
	"cmp"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// Digest is the SHA-256 of an API key's value.
type Digest [32]byte

// Key is one enabled API key. It has the 64 bytes of a cache line, since a request in many brings a key that no request
// before it brought: what it holds besides its digest and id is shared with other keys, and hot.
type Key struct {
	Digest Digest
	ID     string
	// Plans is what the key's usage plans allow it, one on each stage. Keys that are in the same plans share the map.
	Plans map[*Stage]*PlanUse
	// Index numbers the keys that share Plans, from 0.
	Index uint32
}

// PlanUse is what one plan allows each of the keys that share it. It holds for all stages of the plan that have no limits
// for single routes, or for one stage that has.
type PlanUse struct {
	Plan *Plan
	// Methods holds the plan's limits for single routes of the stage, keyed by Route.Key: a bucket for each key.
	Methods map[string]*Limit
	// Keys is the number of keys that share it: each one's Index is below it.
	Keys int
}

// Plan is a usage plan. A key's bucket and counter in it are called "plan/key" by their ids, those of a route's limit
// "plan/key/" with Limit.ID after it; all outlive snapshots.
type Plan struct {
	ID   string
	Name string
	// Limit is the bucket of each key, nil for none. Its ID is not set.
	Limit *Limit
	// Quota counts each key by itself; nil for none.
	Quota *Quota
}

// Quota is the number of requests of one key in a calendar period, in UTC.
type Quota struct {
	Limit  int64
	Offset int64
	Period Period
}

// Period is the calendar span of a quota.
type Period uint8

// The periods, all in UTC. A week starts on Monday.
const (
	Day Period = iota
	Week
	Month
)

// String gives AWS's word.
func (p Period) String() string { return [...]string{"DAY", "WEEK", "MONTH"}[p] }

// Keys finds API keys by the digest of their value. Nil holds none.
//
// The keys stand one after another in the order of their digests' first 64 bits, which are as good as random numbers. So
// the first of these bits tell where a key is but for one place or two: finding a key reads two cache lines, and there is
// nothing but 4 to 8 bytes a key besides the keys themselves.
type Keys struct {
	keys []Key
	// first is the place of the first key whose digest begins with the bits i or more.
	first []uint32
	// shift leaves those bits of a digest's first 64.
	shift int
}

// NewKeys takes over the keys, whose digests must differ. It copies their ids, so that they keep nothing else in memory.
func NewKeys(keys []Key) *Keys {
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Compare(a.Digest.begins(), b.Digest.begins()) })
	gatherIDs(keys)
	n := bits.Len(uint(len(keys)))
	k := &Keys{keys: keys, first: make([]uint32, 1<<n+1), shift: 64 - n}
	place := 0
	for i := range k.first {
		for place < len(keys) && keys[place].Digest.begins()>>k.shift < uint64(i) {
			place++
		}
		k.first[i] = uint32(place)
	}
	return k
}

// gatherIDs moves the ids into one text.
func gatherIDs(keys []Key) {
	size := 0
	for i := range keys {
		size += len(keys[i].ID)
	}
	var b strings.Builder
	b.Grow(size)
	for i := range keys {
		b.WriteString(keys[i].ID)
	}
	all := b.String()
	for i := range keys {
		n := len(keys[i].ID)
		keys[i].ID, all = all[:n], all[n:]
	}
}

// begins gives the first 64 bits as a number.
func (d *Digest) begins() uint64 { return binary.BigEndian.Uint64(d[:]) }

// Len is the number of keys.
func (k *Keys) Len() int {
	if k == nil {
		return 0
	}
	return len(k.keys)
}

// Find gives the key with the digest, nil when there is none. The digests are compared in constant time but for their first
// bits, which say where to look.
func (k *Keys) Find(d *Digest) *Key {
	if k == nil {
		return nil
	}
	begins := d.begins()
	i := begins >> k.shift
	for place := k.first[i]; place < k.first[i+1]; place++ {
		key := &k.keys[place]
		if key.Digest.begins() == begins && subtle.ConstantTimeCompare(key.Digest[:], d[:]) == 1 {
			return key
		}
	}
	return nil
}
