package pathtree

import "unsafe"

// index names a node by its place in Tree.nodes.
type index = uint32

const (
	root index = 0
	// none stands for no node: the root is nobody's child.
	none index = 0
	// inTable says that a node's static children are found through Tree.edges.
	inTable index = 1<<32 - 1
)

// The codes of methods that are the same in every tree.
const (
	noMethod  = 0
	anyMethod = 1
)

// node is one place in the tree. With 10,000 patterns asked for in random order, nearly every node that a lookup comes
// to is in no cache, and each further line costs as much as all computing does. So a node is one line with all that
// Lookup asks of it: its own segment for comparing, its children as indexes, and its leaves.
type node[T any] struct {
	// values belong to methods; noMethod ends both.
	values  [2]T
	methods [2]uint8
	// length is the segment's in text, or tooLong when it stands in Tree.names only. Variables have no text.
	length uint8
	text   [25]byte

	parent index
	// static is the only static child, none, or inTable.
	static   index
	variable index
	greedy   index
	// more is a node that only holds further leaves of this one.
	more index
}

const tooLong = 255

// A node with a pointer in it may not outgrow a cache line.
var _ [64 - unsafe.Sizeof(node[*int]{})]struct{}

// newNode gives the index of a new node; pointers into t.nodes are void afterwards.
func (t *Tree[T]) newNode(parent index, name string) index {
	t.nodes = append(t.nodes, node[T]{parent: parent})
	t.names = append(t.names, name)
	return index(len(t.nodes) - 1)
}

// addStatic makes the node of a static segment. The second child of a node moves the first into the table.
func (t *Tree[T]) addStatic(parent index, segment string) index {
	c := t.newNode(parent, segment)
	n := &t.nodes[c]
	n.length = tooLong
	if len(segment) <= len(n.text) {
		n.length = uint8(copy(n.text[:], segment))
	}
	switch p := &t.nodes[parent]; p.static {
	case none:
		p.static = c
	case inTable:
		t.edges.add(parent, segment, c)
	default:
		t.edges.add(parent, t.names[p.static], p.static)
		t.edges.add(parent, segment, c)
		p.static = inTable
	}
	return c
}

// staticChild finds the child of parent for a decoded segment.
func (t *Tree[T]) staticChild(parent index, segment []byte) index {
	c := t.nodes[parent].static
	if c == inTable {
		return t.tableChild(parent, segment)
	}
	if c != none && t.isNamed(c, segment) {
		return c
	}
	return none
}

func (t *Tree[T]) isNamed(i index, segment []byte) bool {
	n := &t.nodes[i]
	if n.length == tooLong {
		return t.names[i] == string(segment)
	}
	return string(n.text[:n.length]) == string(segment)
}

// addLeaf reports false when the method has a value already.
func (t *Tree[T]) addLeaf(i index, method uint8, value T) bool {
	for {
		n := &t.nodes[i]
		for j := range n.methods {
			switch n.methods[j] {
			case method:
				return false
			case noMethod:
				n.methods[j], n.values[j] = method, value
				return true
			}
		}
		if n.more == none {
			more := t.newNode(i, "")
			t.nodes[i].more = more
		}
		i = t.nodes[i].more
	}
}

// codeOf gives the number of a method, or noMethod. The few names are the same for all paths and so at hand.
func (t *Tree[T]) codeOf(method []byte) uint8 {
	for i := range t.methods {
		if t.methods[i] == string(method) {
			return uint8(i + 1)
		}
	}
	return noMethod
}
