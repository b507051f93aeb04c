package openapi

import (
	"net/url"
	"strings"

	"gatehouse/internal/lib/doctree"
)

// maxHops is how many references in a row are followed.
const maxHops = 32

// References may repeat baseExpansion nodes of a document, and expansionFactor times those it has: every operation of a
// large document refers to its common responses, while a small one cannot be written to cost a lot.
const (
	baseExpansion   = 1_000_000
	expansionFactor = 20
)

// references remembers where references lead and how much they have repeated.
type references struct {
	targets map[string]*value // nil where a reference leads to nothing
	weights map[*doctree.Node]int
	left    int
}

func newReferences(root *doctree.Node) references {
	refs := references{targets: map[string]*value{}, weights: map[*doctree.Node]int{}}
	refs.left = baseExpansion + expansionFactor*refs.weigh(root)
	return refs
}

// weigh counts nodes. References beneath are not followed: they pay for themselves.
func (refs *references) weigh(n *doctree.Node) int {
	if n == nil || n.Kind == doctree.Scalar {
		return 1
	}
	w := 1
	for _, p := range n.Pairs {
		w += 1 + refs.weigh(p.Value)
	}
	for _, item := range n.Items {
		w += refs.weigh(item)
	}
	return w
}

// refOf gives the text of a $ref; a $ref that is not text is a mere key.
func refOf(v *value) (string, bool) {
	if v == nil {
		return "", false
	}
	return v.n.Get("$ref").String()
}

// resolve follows the references of v, and gives v itself where there is none. It reports a reference that cannot be
// followed and gives nil.
func (r *reader) resolve(v *value) *value {
	from := v
	for range maxHops {
		ref, ok := refOf(v)
		if !ok {
			return v
		}
		if v = r.target(v.get("$ref"), ref); v == nil {
			return nil
		}
		if !r.spend(from, v.n) {
			return nil
		}
	}
	r.fail(codeCircularRef, r.place(from.get("$ref")), "let the last reference lead to a value",
		"the reference leads through %d others without an end", maxHops)
	return nil
}

// target finds what a reference names and reports what it cannot find.
func (r *reader) target(at *value, ref string) *value {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		r.fail(codeExternalRef, r.place(at), "bundle the documents into one first",
			"the reference %q leaves the document", ref)
		return nil
	}
	t, known := r.refs.targets[ref]
	if !known {
		t = r.walk(pointer)
		r.refs.targets[ref] = t
	}
	if t == nil {
		r.fail(codeUnresolvedRef, r.place(at), "define it there, or correct the name", "the reference %q leads to nothing in this document", ref)
	}
	return t
}

// walk follows a pointer from the root, percent-encoded as in a URI's fragment.
func (r *reader) walk(pointer string) *value {
	plain, err := url.PathUnescape(pointer)
	if err != nil {
		return nil
	}
	v := r.root
	rest, ok := strings.CutPrefix(plain, "/")
	if !ok && plain != "" {
		return nil
	}
	for more := ok; more && v != nil; {
		var token string
		token, rest, more = strings.Cut(rest, "/")
		token = doctree.UnescapePointer(token)
		n := v.n.At("/" + doctree.EscapePointer(token))
		if n.IsNull() {
			return nil
		}
		v = &value{n: n, key: v.n.Key(token), up: v, token: token}
	}
	return v
}

// spend takes what a repeated node costs from what references may cost.
func (r *reader) spend(v *value, target *doctree.Node) bool {
	w, ok := r.refs.weights[target]
	if !ok {
		w = r.refs.weigh(target)
		r.refs.weights[target] = w
	}
	if r.refs.left < 0 {
		return false
	}
	if r.refs.left -= w; r.refs.left < 0 {
		r.fail(codeRefExpansion, r.place(v), "write what is repeated most often only once",
			"references repeat so much of the document that reading stops here")
		return false
	}
	return true
}

// checkRefs reports the references inside a schema that leave the document or lead to nothing. Cycles are fine: it does
// not follow any. at is the value that the places are named after.
func (r *reader) checkRefs(at *value, n *doctree.Node) {
	for _, item := range n.Items {
		r.checkRefs(at, item)
	}
	for _, p := range n.Pairs {
		switch key := p.Key.Value; key {
		case "example", "examples", "default", "enum", "const":
			continue
		case "properties", "patternProperties", "definitions", "$defs":
			for _, named := range p.Value.Pairs {
				r.checkRefs(at, named.Value)
			}
		case "$ref":
			r.checkRef(at, p.Value)
		default:
			r.checkRefs(at, p.Value)
		}
	}
}

// modelURL is how a schema names another model of the same API by AWS's address.
const modelURL = "https://apigateway.amazonaws.com/restapis/"

func (r *reader) checkRef(at *value, n *doctree.Node) {
	ref, ok := n.String()
	if !ok || strings.HasPrefix(ref, modelURL) {
		return
	}
	r.target(&value{n: n, up: at, token: "$ref"}, ref)
}
