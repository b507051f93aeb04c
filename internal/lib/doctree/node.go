package doctree

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is the shape of a value. The zero Kind belongs to no value of a document.
type Kind uint8

// The three shapes.
const (
	Scalar Kind = iota + 1
	Mapping
	Sequence
)

// String returns the word that a message uses for the shape.
func (k Kind) String() string {
	switch k {
	case Scalar:
		return "scalar"
	case Mapping:
		return "mapping"
	case Sequence:
		return "sequence"
	default:
		return "nothing"
	}
}

// Style is how a value was written. The zero Style is the plain one: an unquoted scalar, or a mapping or sequence laid
// out by indentation.
type Style uint8

// The styles. JSON strings are DoubleQuoted, JSON objects and arrays are Flow.
const (
	Plain Style = iota
	SingleQuoted
	DoubleQuoted
	Literal // a block that begins with |
	Folded  // a block that begins with >
	Flow    // {…} or […]
)

// The tags of values that carry no custom tag.
const (
	TagString   = "!!str"
	TagInt      = "!!int"
	TagFloat    = "!!float"
	TagBool     = "!!bool"
	TagNull     = "!!null"
	TagMapping  = "!!map"
	TagSequence = "!!seq"
)

// Node is one value of a document, with its place. A tree is never changed after Parse, so any number of goroutines may
// read it. Every method may be called on a nil Node, which answers as an absent value.
//
// An alias gives a Node with the place where the alias is used, while everything beneath it keeps the place where it is
// written, beside the anchor: there it has to be mended. Nodes beneath an anchor are shared by all of its aliases.
type Node struct {
	Kind  Kind
	Style Style
	// Tag is one of the Tag constants, another YAML tag ("!!binary"), or a custom one as written ("!Sub").
	Tag string
	// Value is the text of a scalar: unquoted and unescaped when it was quoted, else exactly as written ("0x1F", "200",
	// "on"). It is empty for the other kinds.
	Value string
	// Line and Column count from 1, Column in characters, not bytes. A block scalar stands at its | or >.
	Line, Column int
	// Pairs are the entries of a mapping in the order of the document, duplicate keys included. Merge keys (<<) are
	// already replaced by what they bring in. Read only.
	Pairs []Pair
	// Items are the elements of a sequence. Read only.
	Items []*Node

	index map[string]int // last position of each key, for large mappings only
}

// Pair is one entry of a mapping. Key is always a scalar: whatever its tag, its Value is the key's text, so 200 and
// "200" are the same key.
type Pair struct{ Key, Value *Node }

// indexFrom is the number of pairs from which a mapping is worth an index.
const indexFrom = 16

func (n *Node) buildIndex() {
	if len(n.Pairs) < indexFrom {
		return
	}
	n.index = make(map[string]int, len(n.Pairs))
	for i, p := range n.Pairs {
		n.index[p.Key.Value] = i
	}
}

// find returns the position of the last pair with the key, or -1.
func (n *Node) find(key string) int {
	if n == nil {
		return -1
	}
	if n.index != nil {
		if i, ok := n.index[key]; ok {
			return i
		}
		return -1
	}
	for i, v := range slices.Backward(n.Pairs) {
		if v.Key.Value == key {
			return i
		}
	}
	return -1
}

// Get returns the value of a mapping's key, of the last one where it is duplicated, or nil when n has no such key.
func (n *Node) Get(key string) *Node {
	if i := n.find(key); i >= 0 {
		return n.Pairs[i].Value
	}
	return nil
}

// Key returns the node of the key that Get would look up, or nil: the place for a message about the key itself.
func (n *Node) Key(key string) *Node {
	if i := n.find(key); i >= 0 {
		return n.Pairs[i].Key
	}
	return nil
}

// Has tells whether n is a mapping with the key, even where the key's value is null.
func (n *Node) Has(key string) bool { return n.find(key) >= 0 }

// IsNull tells whether the value is absent or null.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Scalar && n.Tag == TagNull }

// String returns the value of a string: quoted text, or unquoted text that reads as nothing else. It is not ok for a
// number such as 200; see Text. Dates and yes, no, on, off are strings.
func (n *Node) String() (value string, ok bool) {
	if n == nil || n.Kind != Scalar || n.Tag != TagString {
		return "", false
	}
	return n.Value, true
}

// Text returns the text of any scalar but null as it was written, for the places where 200, true and "200" all serve,
// and for the text beneath a custom tag.
func (n *Node) Text() (value string, ok bool) {
	if n == nil || n.Kind != Scalar || n.Tag == TagNull {
		return "", false
	}
	return n.Value, true
}

// Int returns the value of a whole number that an int64 can hold, 3.0 and 1e3 included.
func (n *Node) Int() (value int64, ok bool) {
	if n == nil || n.Kind != Scalar {
		return 0, false
	}
	switch n.Tag {
	case TagInt:
		if v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64); err == nil {
			return v, true
		}
	case TagFloat:
		// 2^53 is as far as every whole number is a float64.
		if v, ok := n.Float(); ok && v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int64(v), true
		}
	}
	return 0, false
}

// Float returns the value of any number; .inf and .nan are numbers.
func (n *Node) Float() (value float64, ok bool) {
	if n == nil || n.Kind != Scalar || n.Tag != TagInt && n.Tag != TagFloat {
		return 0, false
	}
	text := strings.ReplaceAll(n.Value, "_", "")
	if n.Tag == TagInt {
		if v, err := strconv.ParseInt(text, 0, 64); err == nil {
			return float64(v), true
		}
		if v, err := strconv.ParseUint(text, 0, 64); err == nil {
			return float64(v), true
		}
	}
	if bare := strings.ToLower(strings.TrimLeft(text, "+-")); bare == ".inf" || bare == ".nan" {
		text = strings.Replace(text, ".", "", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// Bool returns the value of true or false; yes, no, on and off are strings.
func (n *Node) Bool() (value, ok bool) {
	if n == nil || n.Kind != Scalar || n.Tag != TagBool {
		return false, false
	}
	switch n.Value {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}
