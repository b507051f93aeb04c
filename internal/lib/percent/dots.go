package percent

import "bytes"

// HasDots reports whether a path has a . or .. segment: plain or encoded, between slashes or backslashes, themselves plain
// or encoded. Whoever resolves such a path leaves the place that it names.
func HasDots(path []byte) bool {
	if bytes.IndexByte(path, '.') < 0 && bytes.IndexByte(path, '%') < 0 {
		return false // as nearly always
	}
	for i := 0; i < len(path); {
		n := separator(path[i:])
		if n == 0 {
			i++
			continue
		}
		i += n
		if dots, width := countDots(path[i:]); (dots == 1 || dots == 2) && ends(path[i+width:]) {
			return true
		}
	}
	return false
}

// separator gives the width of a slash or backslash at the front of p, 0 for none.
func separator(p []byte) int {
	switch {
	case len(p) == 0:
		return 0
	case p[0] == '/' || p[0] == '\\':
		return 1
	case len(p) >= 3 && p[0] == '%' && (p[1] == '2' && p[2]|0x20 == 'f' || p[1] == '5' && p[2]|0x20 == 'c'):
		return 3
	}
	return 0
}

// countDots counts the dots at the front of p, and their bytes.
func countDots(p []byte) (dots, width int) {
	for width < len(p) {
		switch {
		case p[width] == '.':
			width++
		case len(p) >= width+3 && p[width] == '%' && p[width+1] == '2' && p[width+2]|0x20 == 'e':
			width += 3
		default:
			return dots, width
		}
		dots++
	}
	return dots, width
}

// ends reports whether a segment may end before rest: a path parameter counts as an end.
func ends(rest []byte) bool { return len(rest) == 0 || rest[0] == ';' || separator(rest) > 0 }
