package doctree

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// Raw returns the value as plain Go values: map[string]any, []any, string, int64, float64, bool or nil. The last of
// duplicate keys wins; a whole number that int64 cannot hold is a float64; a scalar with any other tag is its text. The
// result is a fresh copy that the caller owns.
func (n *Node) Raw() any {
	if n.IsNull() {
		return nil
	}
	switch n.Kind {
	case Mapping:
		m := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			m[p.Key.Value] = p.Value.Raw()
		}
		return m
	case Sequence:
		s := make([]any, len(n.Items))
		for i, item := range n.Items {
			s[i] = item.Raw()
		}
		return s
	default:
		return n.rawScalar()
	}
}

func (n *Node) rawScalar() any {
	switch n.Tag {
	case TagBool:
		if v, ok := n.Bool(); ok {
			return v
		}
	case TagInt:
		if v, ok := n.Int(); ok {
			return v
		}
		if v, ok := n.Float(); ok {
			return v
		}
	case TagFloat:
		if v, ok := n.Float(); ok {
			return v
		}
	}
	return n.Value
}

// JSON returns the value as compact JSON, keys in the order of the document, the last of duplicate keys only. Numbers
// keep their text where JSON allows it. What JSON cannot say (.inf, .nan, a custom tag) becomes the string of its text.
// An absent value is null.
func (n *Node) JSON() []byte { return n.appendJSON(nil) }

func (n *Node) appendJSON(b []byte) []byte {
	if n.IsNull() {
		return append(b, "null"...)
	}
	switch n.Kind {
	case Mapping:
		return n.appendMapping(b)
	case Sequence:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b)
		}
		return append(b, ']')
	default:
		return n.appendScalar(b)
	}
}

func (n *Node) appendMapping(b []byte) []byte {
	last := n.lastOfEach()
	b = append(b, '{')
	first := true
	for i, p := range n.Pairs {
		if last(p.Key.Value) != i {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, p.Key.Value)
		b = append(b, ':')
		b = p.Value.appendJSON(b)
	}
	return append(b, '}')
}

// lastOfEach returns a look-up of each key's last position that is quick for a mapping of any size, also one that was
// not made by Parse.
func (n *Node) lastOfEach() func(key string) int {
	if n.index == nil && len(n.Pairs) >= indexFrom {
		indexed := Node{Pairs: n.Pairs}
		indexed.buildIndex()
		return indexed.find
	}
	return n.find
}

func (n *Node) appendScalar(b []byte) []byte {
	switch n.Tag {
	case TagBool:
		if v, ok := n.Bool(); ok {
			return strconv.AppendBool(b, v)
		}
	case TagInt, TagFloat:
		if json.Valid([]byte(n.Value)) {
			return append(b, n.Value...)
		}
		if n.Tag == TagInt {
			if v, ok := n.Int(); ok {
				return strconv.AppendInt(b, v, 10)
			}
		}
		if v, ok := n.Float(); ok && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return strconv.AppendFloat(b, v, 'g', -1, 64)
		}
	}
	return appendString(b, n.Value)
}

func appendString(b []byte, s string) []byte {
	if isSimple(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return append(b, `""`...) // a string always encodes
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// isSimple tells whether s needs no escape in JSON.
func isSimple(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
