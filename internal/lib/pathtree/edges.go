package pathtree

import (
	"encoding/binary"
	"math/bits"
)

// edges is the open-addressing table of the static children of all nodes that have two or more. What an edge is called
// stands in the child, which a lookup needs anyway; a slot only leads to it. The hash needs no seed: patterns are the
// operator's own, and requests never add to the table.
type edges struct {
	// slots are a power of two, at most half of them used: a search ends within a line nearly always.
	slots []edge
	used  int
}

// edge leads to a child; the slot is free when there is none. The whole hash is kept for growing.
type edge struct {
	hash  uint32
	child index
}

const minSlots = 16

// spread is 2^64 divided by the golden ratio: multiplying by it tells near numbers apart.
const spread = 0x9E3779B97F4A7C15

// hash spreads the parent first: otherwise near parents and near segments, such as r1 and r2, would cancel out.
func hash(parent index, segment []byte) uint32 {
	h := uint64(parent) * spread
	for len(segment) >= 8 {
		h = fold(h ^ binary.LittleEndian.Uint64(segment))
		segment = segment[8:]
	}
	tail := uint64(1)
	for _, c := range segment {
		tail = tail<<8 | uint64(c)
	}
	return uint32(fold(h ^ tail))
}

// fold multiplies by spread and lets every bit of the product count.
func fold(x uint64) uint64 {
	hi, lo := bits.Mul64(x, spread)
	return hi ^ lo
}

// add puts in an edge that is not there yet.
func (e *edges) add(parent index, segment string, child index) {
	if e.used*2 >= len(e.slots) {
		old := e.slots
		e.slots = make([]edge, max(minSlots, 2*len(old)))
		for _, s := range old {
			if s.child != none {
				e.put(s)
			}
		}
	}
	e.put(edge{hash(parent, []byte(segment)), child})
	e.used++
}

func (e *edges) put(s edge) {
	mask := uint32(len(e.slots) - 1)
	i := s.hash & mask
	for e.slots[i].child != none {
		i = (i + 1) & mask
	}
	e.slots[i] = s
}

// tableChild finds a child of a node whose children are in the table.
func (t *Tree[T]) tableChild(parent index, segment []byte) index {
	want := hash(parent, segment)
	mask := uint32(len(t.edges.slots) - 1)
	for i := want & mask; ; i = (i + 1) & mask {
		s := t.edges.slots[i]
		if s.child == none {
			return none
		}
		if s.hash == want && t.nodes[s.child].parent == parent && t.isNamed(s.child, segment) {
			return s.child
		}
	}
}
