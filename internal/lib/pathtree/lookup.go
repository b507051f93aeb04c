package pathtree

import "gatehouse/internal/lib/percent"

// Lookup finds the value for a method and a path as it came on the wire, percent-encoding and all. Static segments are
// compared decoded. Captures are offsets into path. It does not allocate unless a segment is longer than 256 bytes.
func (t *Tree[T]) Lookup(method, path []byte, caps *Captures) (T, Found) {
	s := search[T]{method: method, path: path, end: len(path), caps: caps, methodFirst: t.opts.MethodFirst}
	if t.opts.IgnoreTrailingSlash && len(path) > 1 && path[len(path)-1] == '/' {
		s.end--
	}
	caps.N = 0
	var found Found
	if t.opts.MethodFirst {
		found = s.walk(&t.root, 0)
		if found != Match {
			s.greedy = true
			found = max(found, s.walk(&t.root, 0))
		}
	} else {
		s.greedy = true
		found = s.walk(&t.root, 0)
	}
	return s.value, found
}

// search is one lookup. Every node stands at one depth only, so each is visited at most once a walk.
type search[T any] struct {
	method, path []byte
	end          int
	caps         *Captures
	methodFirst  bool
	greedy       bool
	value        T
}

// walk looks below n; pos is the offset of the slash before the next segment, or end.
func (s *search[T]) walk(n *node[T], pos int) Found {
	if pos >= s.end || (pos == 0 && s.end == 1) {
		return s.leaf(n)
	}
	start := pos + 1
	stop := start
	for stop < s.end && s.path[stop] != '/' {
		stop++
	}
	best := Nothing
	if c := n.staticChild(s.path[start:stop]); c != nil {
		if best = s.walk(c, stop); s.done(best) {
			return best
		}
	}
	if n.variable != nil && stop > start {
		if f := s.capture(n.variable, start, stop, stop); s.done(f) {
			return f
		} else if f > best {
			best = f
		}
	}
	if n.greedy != nil && s.greedy && start < s.end {
		// The slash that is ignored at the end belongs to what a greedy variable takes.
		if f := s.capture(n.greedy, start, len(s.path), s.end); f > best {
			best = f
		}
	}
	return best
}

// done reports whether the search may end: the path alone decides unless methods go first.
func (s *search[T]) done(f Found) bool { return f == Match || (f == PathOnly && !s.methodFirst) }

func (s *search[T]) capture(n *node[T], start, stop, next int) Found {
	i := s.caps.N
	s.caps.C[i] = Capture{start, stop}
	s.caps.N++
	f := s.walk(n, next)
	if !s.done(f) {
		s.caps.N = i
	}
	return f
}

func (s *search[T]) leaf(n *node[T]) Found {
	if len(n.leaves) == 0 {
		return Nothing
	}
	for i := range n.leaves {
		if n.leaves[i].method == string(s.method) {
			s.value = n.leaves[i].value
			return Match
		}
	}
	for i := range n.leaves {
		if n.leaves[i].method == Any {
			s.value = n.leaves[i].value
			return Match
		}
	}
	return PathOnly
}

func (n *node[T]) staticChild(segment []byte) *node[T] {
	if n.static == nil {
		return nil
	}
	for _, c := range segment {
		if c == '%' {
			var buf [256]byte
			return n.static[string(percent.AppendDecoded(buf[:0], segment, false))]
		}
	}
	return n.static[string(segment)]
}
