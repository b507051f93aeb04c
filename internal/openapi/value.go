package openapi

import (
	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// value is a node of the document and the way to it. A nil value is an absent one, and so is one that get would find to
// be null.
type value struct {
	n     *doctree.Node
	key   *doctree.Node
	up    *value
	token string
}

func (v *value) node() *doctree.Node {
	if v == nil {
		return nil
	}
	return v.n
}

// get returns a mapping's entry, nil when it is absent or null.
func (v *value) get(key string) *value {
	n := v.node().Get(key)
	if n.IsNull() {
		return nil
	}
	return &value{n: n, key: v.n.Key(key), up: v, token: key}
}

// each calls f with the entries of a mapping in their order; of duplicate keys only with the last.
func (v *value) each(f func(key string, entry *value)) {
	n := v.node()
	if n == nil {
		return
	}
	for _, p := range n.Pairs {
		if key := p.Key.Value; n.Key(key) == p.Key {
			f(key, &value{n: p.Value, key: p.Key, up: v, token: key})
		}
	}
}

// at names an item of a sequence.
func (v *value) at(i int) *value {
	return &value{n: v.n.Items[i], up: v, token: itoa(i)}
}

func (v *value) is(k doctree.Kind) bool { return v != nil && v.n.Kind == k }

// pointer is the JSON pointer of the value.
func (v *value) pointer() string {
	var short [160]byte // most pointers fit, so that the string is all there is to allocate
	return string(v.appendPointer(short[:0]))
}

func (v *value) appendPointer(b []byte) []byte {
	if v == nil || v.up == nil {
		return b
	}
	b = append(v.up.appendPointer(b), '/')
	return append(b, doctree.EscapePointer(v.token)...)
}

// place is where a person finds the value: at itself when it stands on one line, else at its key.
func (r *reader) place(v *value) definition.Place {
	if v == nil {
		return definition.Place{File: r.file}
	}
	n := v.n
	if v.key != nil && n.Kind != doctree.Scalar {
		n = v.key
	}
	return definition.Place{File: r.file, Line: n.Line, Column: n.Column, Pointer: v.pointer()}
}

// keyPlace is where the value's key stands.
func (r *reader) keyPlace(v *value) definition.Place {
	if v == nil || v.key == nil {
		return r.place(v)
	}
	return definition.Place{File: r.file, Line: v.key.Line, Column: v.key.Column, Pointer: v.pointer()}
}
