// Package pathtree finds a value by method and path in time that depends on the path alone.
//
// It is a leaf: it knows patterns such as "/pets/{id}" and "/{proxy+}", and nothing of gateways. Trees are built once
// and then only read, by any number of goroutines, without allocating.
package pathtree

import (
	"errors"
	"fmt"
	"strings"
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
	opts Options
	root node[T]
	size int
}

type node[T any] struct {
	static   map[string]*node[T]
	variable *node[T]
	greedy   *node[T]
	// name is the variable's, for messages.
	name   string
	leaves []leaf[T]
}

type leaf[T any] struct {
	method string
	value  T
}

// New makes an empty tree.
func New[T any](opts Options) *Tree[T] { return &Tree[T]{opts: opts} }

// Len is the number of values.
func (t *Tree[T]) Len() int { return t.size }

// Errors of Add. The text of what Add returns is one sentence for a person.
var (
	ErrPattern   = errors.New("the path is not a valid pattern")
	ErrConflict  = errors.New("another path is there already")
	ErrDuplicate = errors.New("the method and path are there already")
)

// Add puts a value at method and pattern. It must not run at the same time as any other method.
func (t *Tree[T]) Add(method, pattern string, value T) error {
	segments, err := Split(pattern)
	if err != nil {
		return err
	}
	n := &t.root
	for _, s := range segments {
		n, err = n.child(s, t.opts)
		if err != nil {
			return fmt.Errorf("%s: %w", pattern, err)
		}
	}
	for _, l := range n.leaves {
		if l.method == method {
			return fmt.Errorf("%s %s: %w", method, pattern, ErrDuplicate)
		}
	}
	n.leaves = append(n.leaves, leaf[T]{method, value})
	t.size++
	return nil
}

// child finds or makes the node for one segment.
func (n *node[T]) child(s Segment, opts Options) (*node[T], error) {
	at := &n.variable
	switch s.Kind {
	case Static:
		if c, ok := n.static[s.Name]; ok {
			return c, nil
		}
		if n.static == nil {
			n.static = map[string]*node[T]{}
		}
		c := &node[T]{}
		n.static[s.Name] = c
		return c, nil
	case Greedy:
		at = &n.greedy
	case Variable:
	}
	if *at == nil {
		*at = &node[T]{name: s.Name}
	} else if (*at).name != s.Name && !opts.MethodFirst {
		return nil, fmt.Errorf("the variable {%s} stands where {%s} does in another path: %w", s.Name, (*at).name, ErrConflict)
	}
	return *at, nil
}

// SegmentKind tells the three kinds of segments.
type SegmentKind uint8

// The kinds of segments.
const (
	Static SegmentKind = iota
	Variable
	Greedy
)

// Segment is one part of a pattern between slashes; Name is without braces and "+".
type Segment struct {
	Kind SegmentKind
	Name string
}

// Split parses a pattern. "/" has no segments.
func Split(pattern string) ([]Segment, error) {
	if !strings.HasPrefix(pattern, "/") {
		return nil, fmt.Errorf("%q does not start with a slash: %w", pattern, ErrPattern)
	}
	if pattern == "/" {
		return nil, nil
	}
	parts := strings.Split(strings.TrimSuffix(pattern[1:], "/"), "/")
	out := make([]Segment, 0, len(parts))
	variables := 0
	for i, p := range parts {
		s, err := parseSegment(p)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", pattern, err)
		}
		if s.Kind == Greedy && i != len(parts)-1 {
			return nil, fmt.Errorf("%q: the greedy variable {%s+} must be last: %w", pattern, s.Name, ErrPattern)
		}
		if s.Kind != Static {
			variables++
		}
		out = append(out, s)
	}
	if variables > MaxCaptures {
		return nil, fmt.Errorf("%q has more than %d variables: %w", pattern, MaxCaptures, ErrPattern)
	}
	return out, nil
}

func parseSegment(p string) (Segment, error) {
	if p == "" {
		return Segment{}, fmt.Errorf("there is an empty segment: %w", ErrPattern)
	}
	if p[0] != '{' || p[len(p)-1] != '}' {
		if strings.ContainsAny(p, "{}") {
			return Segment{}, fmt.Errorf("a variable must fill the whole segment %q: %w", p, ErrPattern)
		}
		return Segment{Static, p}, nil
	}
	name, greedy := strings.CutSuffix(p[1:len(p)-1], "+")
	if name == "" || strings.ContainsAny(name, "{}+") {
		return Segment{}, fmt.Errorf("the variable %q has no valid name: %w", p, ErrPattern)
	}
	if greedy {
		return Segment{Greedy, name}, nil
	}
	return Segment{Variable, name}, nil
}
