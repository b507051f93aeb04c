package doctree

import (
	"strconv"
	"strings"
)

// Pointer returns the JSON pointer (RFC 6901) with the given keys and positions: Pointer("paths", "/pets") is
// "/paths/~1pets". Without tokens it is "", the whole document.
func Pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(EscapePointer(t))
	}
	return b.String()
}

// EscapePointer returns a key as it stands in a JSON pointer: ~ as ~0, / as ~1.
func EscapePointer(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

// UnescapePointer undoes EscapePointer.
func UnescapePointer(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// At returns the value that a JSON pointer names below n, or nil when there is none. It expects the pointer itself, not
// a URI fragment: no leading #, no percent-encoding.
func (n *Node) At(pointer string) *Node {
	if pointer == "" {
		return n
	}
	rest, ok := strings.CutPrefix(pointer, "/")
	for more := ok; more && n != nil; {
		var token string
		token, rest, more = strings.Cut(rest, "/")
		n = n.child(UnescapePointer(token))
	}
	if !ok {
		return nil
	}
	return n
}

func (n *Node) child(token string) *Node {
	if n.Kind == Mapping {
		return n.Get(token)
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(n.Items) || strconv.Itoa(i) != token {
		return nil
	}
	return n.Items[i]
}
