package openapi

import (
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/lib/doctree"
)

// text reads a string. A number or a truth value is taken as it is written, a CloudFormation function as readable text.
func (r *reader) text(v *value) (string, bool) {
	if v == nil {
		return "", false
	}
	if s, ok := v.n.String(); ok {
		return s, true
	}
	if s, ok := cfnText(v.n); ok {
		r.sawCFN(v)
		return s, true
	}
	if s, ok := v.n.Text(); ok {
		return s, true
	}
	r.wrongType(v, "text")
	return "", false
}

// placed is text with where it stands.
func (r *reader) placed(v *value) v1.Text {
	s, _ := r.text(v)
	return v1.Text{Value: s, Place: r.place(v)}
}

// enum reads one of some words, in any case, and gives it in upper case.
func (r *reader) enum(v *value, allowed ...string) string {
	s, ok := r.text(v)
	if !ok {
		return ""
	}
	up := strings.ToUpper(s)
	if !slices.Contains(allowed, up) {
		r.fail(codeBadValue, r.place(v), "use "+strings.Join(allowed, " or "), "%s cannot be %q", v.token, s)
		return ""
	}
	return up
}

// texts reads a mapping of strings. What is no string is refused; in mappings of parameters it is left out with a
// warning instead, as AWS does.
func (r *reader) texts(v *value, parameters bool) map[string]v1.Text {
	if v == nil || !r.mapping(v) {
		return nil
	}
	m := make(map[string]v1.Text, len(v.n.Pairs))
	v.each(func(key string, c *value) {
		switch {
		case isText(c.n):
			m[key] = r.placed(c)
		case parameters:
			r.warn(codeNotAString, r.place(c), "put it in quotes, with inner ones for a constant: \"'true'\"",
				"%s is not text and is left out", key)
		default:
			r.wrongType(c, "text")
		}
	})
	return m
}

// isText tells whether a value is a string or a function that stands for one.
func isText(n *doctree.Node) bool {
	if _, ok := n.String(); ok {
		return true
	}
	_, ok := cfnText(n)
	return ok
}

func (r *reader) bool(v *value) bool {
	if v == nil {
		return false
	}
	if b, ok := v.n.Bool(); ok {
		return b
	}
	switch v.n.Value { // "true" in quotes: many templates write it so
	case "true":
		return true
	case "false":
		return false
	}
	r.wrongType(v, "true or false")
	return false
}

// int reads a whole number that is not negative, also in quotes.
func (r *reader) int(v *value) (int, bool) {
	i, ok := v.n.Int()
	if !ok && v.n.Tag == doctree.TagString {
		plain := doctree.Node{Kind: doctree.Scalar, Tag: doctree.TagInt, Value: v.n.Value}
		i, ok = plain.Int()
	}
	if !ok || i < 0 || i > 1<<31-1 {
		r.wrongType(v, "a whole number")
		return 0, false
	}
	return int(i), true
}

// strings reads a list of text.
func (r *reader) strings(v *value) []string {
	if v == nil || !r.sequence(v) {
		return nil
	}
	var list []string
	for i := range v.n.Items {
		if s, ok := r.text(v.at(i)); ok {
			list = append(list, s)
		}
	}
	return list
}

func (r *reader) mapping(v *value) bool {
	if v.is(doctree.Mapping) {
		return true
	}
	r.wrongType(v, "a mapping")
	return false
}

func (r *reader) sequence(v *value) bool {
	if v.is(doctree.Sequence) {
		return true
	}
	r.wrongType(v, "a list")
	return false
}

func (r *reader) wrongType(v *value, want string) {
	what := v.token
	if v.key == nil && v.up != nil {
		what = "an item of " + v.up.token
	}
	if what == "" {
		what = "this"
	}
	r.fail(codeWrongType, r.place(v), howTo(want), "%s must be %s", what, want)
}

// howTo says how to write what was wanted.
func howTo(want string) string {
	switch want {
	case "text":
		return `write one value, in quotes if it begins with { [ * & ! or %`
	case "a mapping":
		return "write key: value lines, or {key: value}"
	case "a list":
		return "write lines that begin with -, or [a, b]"
	default:
		return "write " + want
	}
}

func (r *reader) sawCFN(v *value) {
	if r.cfnSeen {
		return
	}
	r.cfnSeen = true
	r.tell(codeCloudFormation, r.place(v), "deploy with the values filled in, or use stage variables",
		"the document uses CloudFormation functions; their text is kept and nothing is substituted")
}

func (r *reader) kept(v *value) v1.Kept { return v1.Kept{Value: v.n.JSON(), Place: r.place(v)} }

// keep adds to a map of kept extensions that is made when it is needed.
func keep(m *map[string]v1.Kept, name string, k v1.Kept) {
	if *m == nil {
		*m = map[string]v1.Kept{}
	}
	(*m)[name] = k
}

// cfnText gives the readable text of a CloudFormation function, long form or YAML tag: the text of Fn::Sub as it is,
// ${Name.Attribute} for Fn::GetAtt and Ref.
func cfnText(n *doctree.Node) (string, bool) {
	name, arg, ok := cfnFunction(n)
	if !ok {
		return "", false
	}
	switch {
	case name == "Sub" && arg.Kind == doctree.Scalar:
		return arg.Value, true
	case name == "Sub" && len(arg.Items) > 0:
		return arg.Items[0].Value, true
	case (name == "Ref" || name == "GetAtt") && arg.Kind == doctree.Scalar:
		return "${" + arg.Value + "}", true
	case name == "GetAtt":
		return "${" + strings.Join(cfnParts(arg.Items), ".") + "}", true
	case name == "Join" && len(arg.Items) == 2:
		return strings.Join(cfnParts(arg.Items[1].Items), arg.Items[0].Value), true
	}
	return "${" + name + "}", true
}

func cfnParts(items []*doctree.Node) []string {
	parts := make([]string, len(items))
	for i, item := range items {
		if s, ok := cfnText(item); ok {
			parts[i] = s
		} else {
			parts[i] = item.Value
		}
	}
	return parts
}

// cfnFunction takes a node apart into the function's name, without Fn::, and its argument.
func cfnFunction(n *doctree.Node) (name string, arg *doctree.Node, ok bool) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return n.Tag[1:], n, true
	}
	if n.Kind != doctree.Mapping || len(n.Pairs) != 1 {
		return "", nil, false
	}
	key := n.Pairs[0].Key.Value
	name, ok = strings.CutPrefix(key, "Fn::")
	return name, n.Pairs[0].Value, ok || key == "Ref"
}
