package pathtree

import (
	"fmt"
	"strings"
)

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
