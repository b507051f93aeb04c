package config

import (
	"fmt"
	"path/filepath"
	"strconv"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// decoder fills a File from the tree of a document and collects what is wrong. The parts of the file are tables of
// fields; what a field takes is a reader.
type decoder struct {
	file  *File
	files *files
	env   func(string) (string, bool)
	diags definition.Diagnostics

	// apis is what domains and usage plans may name, by id; apiIDs keeps the file's order.
	apis   map[string]*api
	apiIDs []string
	// expanded counts the bytes that references brought in.
	expanded int
	plans    planIndex
}

func newDecoder(path string, env func(string) (string, bool)) *decoder {
	file := defaults(path)
	return &decoder{
		file:  file,
		files: &files{dir: filepath.Dir(path), list: &file.Files, seen: map[string]bool{}, texts: map[string]string{}},
		env:   env,
		apis:  map[string]*api{},
		plans: planIndex{byName: map[string]int{}},
	}
}

// reader takes the value of a key and reports what is wrong with it.
type reader func(d *decoder, key string, n *doctree.Node)

// field is one key that a mapping may have.
type field struct {
	name string
	read reader
}

// mapping reads a mapping of known keys in the order of the table and reports the others. It tells whether n is one.
func (d *decoder) mapping(key string, n *doctree.Node, fields []field) bool {
	if !d.isMapping(key, n) {
		return false
	}
	found := 0
	for _, f := range fields {
		if v := n.Get(f.name); v != nil {
			f.read(d, f.name, v)
			found++
		}
	}
	if found != len(n.Pairs) {
		d.unknownKeys(n, fields)
	}
	return true
}

func (d *decoder) unknownKeys(n *doctree.Node, fields []field) {
	names := make([]string, len(fields))
	known := make(map[string]bool, len(fields))
	for i, f := range fields {
		names[i] = f.name
		known[f.name] = true
	}
	for _, p := range n.Pairs {
		if known[p.Key.Value] {
			continue
		}
		d.fail(codeUnknownKey, p.Key, didYouMean(p.Key.Value, names), "the key %s is not known here", quote(p.Key.Value))
	}
}

// isMapping reports a value that is no mapping.
func (d *decoder) isMapping(key string, n *doctree.Node) bool {
	if n == nil || n.Kind != doctree.Mapping {
		d.wrongType(key, n, aMapping)
		return false
	}
	return true
}

// each reads a mapping whose keys are names of the user's. Of a duplicate key the last one is read.
func (d *decoder) each(key string, n *doctree.Node, read func(name, value *doctree.Node)) {
	if !d.isMapping(key, n) {
		return
	}
	for _, p := range n.Pairs {
		if n.Get(p.Key.Value) == p.Value {
			read(p.Key, p.Value)
		}
	}
}

// object is a reader of a mapping.
func object(fields ...field) reader {
	return func(d *decoder, key string, n *doctree.Node) { d.mapping(key, n, fields) }
}

// keep is a reader that puts a value aside until what it needs is there.
func keep(into **doctree.Node) reader {
	return func(_ *decoder, _ string, n *doctree.Node) { *into = n }
}

// notServed is a reader of a key that is recognised and does nothing yet.
func notServed(s definition.Severity, message, hint string) reader {
	return func(d *decoder, _ string, n *doctree.Node) {
		d.diags.Add(s, codeNotServed, d.at(n), hint, "%s", message)
	}
}

// list reads a sequence.
func (d *decoder) list(key string, n *doctree.Node, read func(item *doctree.Node)) {
	if n == nil || n.Kind != doctree.Sequence {
		d.wrongType(key, n, "a list")
		return
	}
	for _, item := range n.Items {
		read(item)
	}
}

// require reports that a mapping lacks a key.
func (d *decoder) require(n *doctree.Node, key, hint string) bool {
	if n.Has(key) {
		return true
	}
	d.fail(codeMissingKey, n, hint, "the key %s is missing", quote(key))
	return false
}

func (d *decoder) at(n *doctree.Node) definition.Place {
	p := definition.Place{File: d.file.Path}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	return p
}

func (d *decoder) fail(code string, n *doctree.Node, hint, format string, args ...any) {
	d.diags.Add(definition.Error, code, d.at(n), hint, format, args...)
}

func (d *decoder) warn(code string, n *doctree.Node, hint, format string, args ...any) {
	d.diags.Add(definition.Warning, code, d.at(n), hint, format, args...)
}

// wrongType names what was found by its type only: it may be a secret in the wrong place.
func (d *decoder) wrongType(key string, n *doctree.Node, want string) {
	hint := ""
	if n.IsNull() && want == aMapping {
		hint = "write {} for an empty one"
	}
	d.fail(codeWrongType, n, hint, "%s takes %s, not %s", key, want, typeOf(n))
}

const aMapping = "a mapping"

func typeOf(n *doctree.Node) string {
	switch {
	case n.IsNull():
		return "nothing"
	case n.Kind == doctree.Mapping:
		return aMapping
	case n.Kind == doctree.Sequence:
		return "a list"
	}
	switch n.Tag {
	case doctree.TagInt:
		return "a number"
	case doctree.TagFloat:
		return "a number with a fraction"
	case doctree.TagBool:
		return "true or false"
	case doctree.TagString:
		return "text"
	default:
		return fmt.Sprintf("a value with the tag %s", shorten(n.Tag))
	}
}

// quote shows what a person wrote, as it stands in the file.
func quote(s string) string { return strconv.Quote(shorten(s)) }

// shown is how much of a text a message repeats.
const shown = 80

func shorten(s string) string {
	r := []rune(s)
	if len(r) <= shown {
		return s
	}
	return string(r[:shown]) + "…"
}
