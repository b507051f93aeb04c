package doctree

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// timestampTag and mergeTag are what the YAML library calls two kinds of unquoted text that are strings here.
const (
	timestampTag = "!!timestamp"
	mergeTag     = "!!merge"
)

func (s *source) parseYAML() (*Node, Errors) {
	root, extra, err := decodeYAML(bytes.NewReader(s.text))
	switch {
	case err != nil:
		return nil, Errors{s.yamlError(err)}
	case root == nil || isEmpty(root):
		return nil, Errors{s.errorAt(1, 1, "the document is empty", "write something into the file, or name another one")}
	case extra != nil:
		return nil, Errors{s.errorAt(extra.Line, extra.Column, "a second YAML document begins here",
			"one file holds one document: remove the --- line or split the file")}
	}
	b := &yamlBuilder{source: s, anchors: map[*yaml.Node]*Node{}}
	n := b.value(root, 0)
	if len(b.errs) > 0 {
		return nil, b.errs
	}
	return n, nil
}

// decodeYAML returns the root of the first document, nil when there is none, and the second document that is not empty.
func decodeYAML(r io.Reader) (root, extra *yaml.Node, err error) {
	// The library panics on a state that it believes impossible. A document must not stop the daemon on a reload.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: the document cannot be read: %v", p)
		}
	}()
	dec := yaml.NewDecoder(r)
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return root, nil, nil
		} else if err != nil {
			return nil, nil, err
		}
		switch {
		case len(doc.Content) != 1:
		case root == nil || isEmpty(root):
			root = doc.Content[0]
		case !isEmpty(doc.Content[0]):
			return root, &doc, nil
		}
	}
}

// isEmpty tells whether a document holds nothing: what stands after a lone --- line.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Tag == TagNull && n.Anchor == ""
}

// yamlBuilder makes the tree from the library's. It collects errors and goes on, except after a limit is reached.
type yamlBuilder struct {
	*source
	anchors map[*yaml.Node]*Node // anchored nodes; nil while under construction
	spent   int                  // of limits.Expansion
	errs    Errors
	stopped bool
}

func (b *yamlBuilder) fail(y *yaml.Node, message, hint string) *Node {
	b.errs = append(b.errs, b.errorAt(y.Line, y.Column, message, hint))
	return nothing(y)
}

// stop reports a limit. The rest of the document is left out: it would only repeat the complaint.
func (b *yamlBuilder) stop(err *Error) {
	if !b.stopped {
		b.errs = append(b.errs, err)
	}
	b.stopped = true
}

// nothing stands in for a value that could not be built, so that the rest can be.
func nothing(y *yaml.Node) *Node {
	return &Node{Kind: Scalar, Tag: TagNull, Line: y.Line, Column: y.Column}
}

func (b *yamlBuilder) value(y *yaml.Node, depth int) *Node {
	if b.stopped {
		return nothing(y)
	}
	if y.Kind == yaml.AliasNode {
		return b.alias(y, depth)
	}
	if y.Anchor == "" {
		return b.plain(y, depth)
	}
	b.anchors[y] = nil
	n := b.plain(y, depth)
	b.anchors[y] = n
	return n
}

func (b *yamlBuilder) plain(y *yaml.Node, depth int) *Node {
	n := &Node{Kind: Scalar, Style: styleOf(y.Style), Tag: y.Tag, Line: y.Line, Column: y.Column}
	if y.Kind == yaml.ScalarNode {
		n.Value = y.Value
		if n.Tag == mergeTag || n.Tag == timestampTag && y.Style&yaml.TaggedStyle == 0 {
			n.Tag = TagString
		}
		return n
	}
	if depth >= b.limits.Depth {
		b.stop(b.tooDeep(y.Line, y.Column))
		return n
	}
	if y.Kind == yaml.MappingNode {
		b.mapping(n, y, depth+1)
		return n
	}
	n.Kind = Sequence
	n.Items = make([]*Node, len(y.Content))
	for i, item := range y.Content {
		n.Items[i] = b.value(item, depth+1)
	}
	return n
}

func styleOf(s yaml.Style) Style {
	switch {
	case s&yaml.DoubleQuotedStyle != 0:
		return DoubleQuoted
	case s&yaml.SingleQuotedStyle != 0:
		return SingleQuoted
	case s&yaml.LiteralStyle != 0:
		return Literal
	case s&yaml.FoldedStyle != 0:
		return Folded
	case s&yaml.FlowStyle != 0:
		return Flow
	default:
		return Plain
	}
}

func (b *yamlBuilder) alias(y *yaml.Node, depth int) *Node {
	target, known := b.anchors[y.Alias]
	if !known || target == nil {
		return b.fail(y, fmt.Sprintf("the anchor &%s contains itself", y.Value), "an alias cannot stand inside its own anchor")
	}
	weight, height := measure(target)
	b.spend(y, weight)
	if depth+height > b.limits.Depth {
		b.stop(b.tooDeep(y.Line, y.Column))
	}
	here := *target
	here.Line, here.Column = y.Line, y.Column
	return &here
}

// spend takes from what aliases may add. Measuring a node costs as much time as it spends, so that is bounded too.
func (b *yamlBuilder) spend(y *yaml.Node, weight int) {
	if b.spent += weight; b.spent > b.limits.Expansion {
		b.stop(b.errorAt(y.Line, y.Column,
			fmt.Sprintf("aliases expand the document by more than %d values", b.limits.Expansion), "repeat fewer anchors"))
	}
}

// measure returns what a node costs each time it is repeated, and how deeply it is nested.
func measure(n *Node) (weight, height int) {
	weight = 1 + len(n.Value)/64
	add := func(child *Node) {
		w, h := measure(child)
		weight, height = weight+w, max(height, h)
	}
	for _, p := range n.Pairs {
		add(p.Key)
		add(p.Value)
	}
	for _, item := range n.Items {
		add(item)
	}
	if n.Kind != Scalar {
		height++
	}
	return weight, height
}

// merge is a << key: the mappings it brings in, and how many of the mapping's own pairs stand before it.
type merge struct {
	before  int
	sources []*Node
}

func (b *yamlBuilder) mapping(n *Node, y *yaml.Node, depth int) {
	n.Kind = Mapping
	n.Pairs = make([]Pair, 0, len(y.Content)/2)
	var merges []merge
	for i := 0; i+1 < len(y.Content) && !b.stopped; i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.Tag == mergeTag {
			merges = append(merges, merge{len(n.Pairs), b.mergeSources(v, depth)})
			continue
		}
		key, value := b.value(k, depth), b.value(v, depth)
		if key.Kind != Scalar {
			b.fail(k, fmt.Sprintf("a key has to be text, not a %s", key.Kind), "put the key in quotes")
			continue
		}
		n.Pairs = append(n.Pairs, Pair{Key: key, Value: value})
	}
	if len(merges) > 0 {
		n.Pairs = merged(n.Pairs, merges)
	}
	n.buildIndex()
}

// mergeSources returns the mappings that the value of a << key names: one, or a sequence of them.
func (b *yamlBuilder) mergeSources(v *yaml.Node, depth int) []*Node {
	n := b.value(v, depth)
	sources := []*Node{n}
	if n.Kind == Sequence {
		sources = n.Items
	}
	for _, s := range sources {
		if s.Kind != Mapping && !b.stopped {
			b.fail(v, "a merge key (<<) needs a mapping or a list of mappings", `write "<<" in quotes if it is meant as a key`)
			return nil
		}
	}
	return sources
}

// merged puts what merge keys bring in at their places. A mapping's own key wins over a merged one, an earlier source
// over a later one.
func merged(own []Pair, merges []merge) []Pair {
	seen := make(map[string]bool, len(own))
	for _, p := range own {
		seen[p.Key.Value] = true
	}
	var all []Pair
	done := 0
	for _, m := range merges {
		all = append(all, own[done:m.before]...)
		done = m.before
		for _, s := range m.sources {
			all = mergeOne(all, s, seen)
		}
	}
	return append(all, own[done:]...)
}

// mergeOne costs nothing of the limit: an alias has paid for all it stands for.
func mergeOne(all []Pair, from *Node, seen map[string]bool) []Pair {
	for _, p := range from.Pairs {
		if key := p.Key.Value; !seen[key] {
			seen[key] = true
			all = append(all, Pair{Key: p.Key, Value: from.Get(key)})
		}
	}
	return all
}
