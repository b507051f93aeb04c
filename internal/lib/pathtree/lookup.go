package pathtree

import "gatehouse/internal/lib/percent"

// Lookup finds the value for a method and a path as it came on the wire, percent-encoding and all. Static segments are
// compared decoded. Captures are offsets into path. It does not allocate unless a segment is longer than 256 bytes.
func (t *Tree[T]) Lookup(method, path []byte, caps *Captures) (T, Found) {
	s := search[T]{tree: t, method: t.codeOf(method), path: path, end: len(path), caps: caps, methodFirst: t.opts.MethodFirst}
	if t.opts.IgnoreTrailingSlash && len(path) > 1 && path[len(path)-1] == '/' {
		s.end--
	}
	caps.N = 0
	var found Found
	if t.opts.MethodFirst {
		found = s.walk(root, 0)
		if found != Match {
			s.greedy = true
			found = max(found, s.walk(root, 0))
		}
	} else {
		s.greedy = true
		found = s.walk(root, 0)
	}
	return s.value, found
}

// search is one lookup. Every node stands at one depth only, so each is visited at most once a walk.
type search[T any] struct {
	tree *Tree[T]
	path []byte
	end  int
	caps *Captures
	// method is noMethod when no pattern has it.
	method      uint8
	methodFirst bool
	greedy      bool
	value       T
}

// walk looks below node i; pos is the offset of the slash before the next segment, or end.
func (s *search[T]) walk(i index, pos int) Found {
	if pos >= s.end || (pos == 0 && s.end == 1) {
		return s.leaf(i)
	}
	start := pos + 1
	stop := start
	encoded := false
	for stop < s.end && s.path[stop] != '/' {
		encoded = encoded || s.path[stop] == '%'
		stop++
	}
	best := Nothing
	if c := s.static(i, s.path[start:stop], encoded); c != none {
		if best = s.walk(c, stop); s.done(best) {
			return best
		}
	}
	n := &s.tree.nodes[i]
	if n.variable != none && stop > start {
		if f := s.capture(n.variable, start, stop, stop); s.done(f) {
			return f
		} else if f > best {
			best = f
		}
	}
	if n.greedy != none && s.greedy && start < s.end {
		// The slash that is ignored at the end belongs to what a greedy variable takes.
		if f := s.capture(n.greedy, start, len(s.path), s.end); f > best {
			best = f
		}
	}
	return best
}

func (s *search[T]) static(parent index, segment []byte, encoded bool) index {
	if !encoded {
		return s.tree.staticChild(parent, segment)
	}
	var buf [256]byte
	return s.tree.staticChild(parent, percent.AppendDecoded(buf[:0], segment, false))
}

// done reports whether the search may end: the path alone decides unless methods go first.
func (s *search[T]) done(f Found) bool { return f == Match || (f == PathOnly && !s.methodFirst) }

func (s *search[T]) capture(i index, start, stop, next int) Found {
	n := s.caps.N
	s.caps.C[n] = Capture{start, stop}
	s.caps.N++
	f := s.walk(i, next)
	if !s.done(f) {
		s.caps.N = n
	}
	return f
}

// leaf takes the value of the method, or else the one of ANY.
func (s *search[T]) leaf(i index) Found {
	found := Nothing
	for {
		n := &s.tree.nodes[i]
		for j, m := range n.methods {
			switch m {
			case noMethod:
				return found
			case s.method:
				s.value = n.values[j]
				return Match
			case anyMethod:
				s.value = n.values[j]
				found = Match
			default:
				found = max(found, PathOnly)
			}
		}
		if n.more == none {
			return found
		}
		i = n.more
	}
}
