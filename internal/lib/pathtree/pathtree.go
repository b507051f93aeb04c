// Package pathtree finds a value by method and path in time that depends on the path alone.
//
// It is a leaf: it knows patterns such as "/pets/{id}" and "/{proxy+}", and nothing of gateways. Trees are built once
// and then only read, by any number of goroutines, without allocating.
package pathtree

import (
	"errors"
	"fmt"
	"math"
)

// MaxCaptures is the most variables that one pattern may have.
const MaxCaptures = 16

// Any is the method that matches every method that has no value of its own.
const Any = "ANY"

// Options choose between the two families' rules.
type Options struct {
	// IgnoreTrailingSlash lets "/pets/" find "/pets".
	IgnoreTrailingSlash bool
	// MethodFirst: a pattern without a value for the method is passed over as if it were not there, and patterns
	// without a greedy variable go before all with one. Without it the path alone decides, and the method is looked
	// up afterwards.
	MethodFirst bool
}

// Found says how much of a request was found.
type Found uint8

// The outcomes of Lookup.
const (
	// Nothing: no pattern matches the path.
	Nothing Found = iota
	// PathOnly: a pattern matches, without the method.
	PathOnly
	// Match: both do.
	Match
)

// Capture is the part of the path that a variable took, as offsets into the path given to Lookup.
type Capture struct{ Start, End int }

// Captures are filled by Lookup, in the order of the variables in the pattern.
type Captures struct {
	N int
	C [MaxCaptures]Capture
}

// Tree holds values by method and pattern.
type Tree[T any] struct {
	opts  Options
	nodes []node[T]
	// names are the nodes' segments and variables. Lookup reads those of long segments only.
	names []string
	edges edges
	// methods are the names of methods, ANY first; a node knows a method by its place in it, counted from 1.
	methods []string
	size    int
}

// New makes an empty tree.
func New[T any](opts Options) *Tree[T] {
	t := &Tree[T]{opts: opts, methods: []string{Any}}
	t.newNode(root, "")
	return t
}

// Len is the number of values.
func (t *Tree[T]) Len() int { return t.size }

// Errors of Add. The text of what Add returns is one sentence for a person.
var (
	ErrPattern   = errors.New("the path is not a valid pattern")
	ErrConflict  = errors.New("another path is there already")
	ErrDuplicate = errors.New("the method and path are there already")
	ErrMethods   = errors.New("there are too many different methods")
)

// Add puts a value at method and pattern. It must not run at the same time as any other method.
func (t *Tree[T]) Add(method, pattern string, value T) error {
	segments, err := Split(pattern)
	if err != nil {
		return err
	}
	code, err := t.code(method)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, pattern, err)
	}
	n := root
	for _, s := range segments {
		if n, err = t.child(n, s); err != nil {
			return fmt.Errorf("%s: %w", pattern, err)
		}
	}
	if !t.addLeaf(n, code, value) {
		return fmt.Errorf("%s %s: %w", method, pattern, ErrDuplicate)
	}
	t.size++
	return nil
}

// child finds or makes the node for one segment.
func (t *Tree[T]) child(parent index, s Segment) (index, error) {
	if s.Kind == Static {
		if c := t.staticChild(parent, []byte(s.Name)); c != none {
			return c, nil
		}
		return t.addStatic(parent, s.Name), nil
	}
	c := t.nodes[parent].variable
	if s.Kind == Greedy {
		c = t.nodes[parent].greedy
	}
	switch {
	case c == none && s.Kind == Greedy:
		c = t.newNode(parent, s.Name)
		t.nodes[parent].greedy = c
	case c == none:
		c = t.newNode(parent, s.Name)
		t.nodes[parent].variable = c
	case t.names[c] != s.Name && !t.opts.MethodFirst:
		return none, fmt.Errorf("the variable {%s} stands where {%s} does in another path: %w", s.Name, t.names[c], ErrConflict)
	}
	return c, nil
}

// code finds or makes the number of a method.
func (t *Tree[T]) code(method string) (uint8, error) {
	if c := t.codeOf([]byte(method)); c != noMethod {
		return c, nil
	}
	if len(t.methods) == math.MaxUint8 {
		return noMethod, ErrMethods
	}
	t.methods = append(t.methods, method)
	return uint8(len(t.methods)), nil
}
