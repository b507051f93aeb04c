package openapi

import (
	"strings"

	"gatehouse/internal/lib/pathtree"
)

// operation is one operation before it is known which kind of API it belongs to.
type operation struct {
	// method is in upper case, "ANY" for any. own is the path in the document, path the one with the base path.
	method, own, path string
	at                *value
	// item is the path's entry, before references.
	item *value
	// shared are the parameters of the path, nil for none.
	shared *value
	// integration is nil for none; references are followed.
	integration *value
	// broken: the operation has an integration that cannot be read, so that none is missed.
	broken    bool
	variables []string
}

const (
	defaultPath = "/$default"
	anyMethod   = pathtree.Any
)

// methodKeys are the entries of a path that are operations, and the methods' names.
func methodKeys() [][2]string {
	return [][2]string{
		{"get", "GET"},
		{"put", "PUT"},
		{"post", "POST"},
		{"delete", "DELETE"},
		{"options", "OPTIONS"},
		{"head", "HEAD"},
		{"patch", "PATCH"},
		{extAnyMethod, anyMethod},
	}
}

// collect finds the operations.
func (r *reader) collect() {
	base := r.basePath()
	paths := r.root.get("paths")
	if paths != nil && r.mapping(paths) {
		methods := methodKeys()
		paths.each(func(path string, item *value) {
			if !strings.HasPrefix(path, "x-") && !item.n.IsNull() && r.mapping(item) {
				r.collectPath(path, base, item, methods)
			}
		})
	}
	if len(r.operations) == 0 {
		r.warn(codeNoOperations, r.place(r.root), "add operations under paths", "the document has no operations")
	}
	r.checkIDs()
}

func (r *reader) collectPath(path, base string, item *value, methods [][2]string) {
	target := r.resolve(item)
	if target == nil {
		return
	}
	if target != item {
		r.checkNames(target, atPath)
	}
	r.checkMethodKeys(target)
	if target != item {
		r.checkMethodKeys(item)
	}
	if trace := target.get("trace"); trace != nil {
		r.warn(codeTrace, r.keyPlace(trace), "remove it", "API Gateway has no method TRACE, so TRACE %s is left out", path)
	}
	shared := target.get("parameters")
	for _, m := range methods {
		at := target.get(m[0])
		if at == nil {
			at = item.get(m[0]) // beside a reference
		}
		if at == nil || !r.mapping(at) {
			continue
		}
		op := &operation{method: m[1], own: path, path: base + path, at: at, item: item, shared: shared}
		if path == "/" && base != "" {
			op.path = base
		}
		r.findIntegration(op)
		r.operations = append(r.operations, op)
	}
}

// checkMethodKeys refuses entries of a path that nobody would read, such as GET for get: an operation would be missing.
func (r *reader) checkMethodKeys(item *value) {
	item.each(func(key string, c *value) {
		switch key {
		case "get", "put", "post", "delete", "options", "head", "patch", "trace", "parameters", "summary", "description", "servers", "$ref":
			return
		}
		if strings.HasPrefix(key, "x-") {
			return
		}
		known := []string{"parameters", "summary", "description", "servers"}
		for _, m := range methodKeys() {
			known = append(known, m[0])
		}
		r.fail(codeUnknownMethodKey, r.keyPlace(c), r.didYouMean(key, known), "%s is no method, so what stands under it would not be served", key)
	})
}

func (r *reader) findIntegration(op *operation) {
	v := op.at.get(extIntegration)
	if v == nil {
		return
	}
	op.integration = r.resolve(v)
	if op.integration == nil || !r.mapping(op.integration) {
		op.integration, op.broken = nil, true
	}
}

func (r *reader) checkIDs() {
	seen := make(map[string]int, len(r.operations))
	for _, op := range r.operations {
		v := op.at.get("operationId")
		if v == nil {
			continue
		}
		id, _ := r.text(v)
		if line, again := seen[id]; again && id != "" {
			r.warn(codeDuplicateID, r.place(v), "give each operation an id of its own",
				"the operationId %q stands on line %d already", id, line)
			continue
		}
		seen[id] = v.n.Line
	}
}

// checkPath reports what is wrong with an operation's path and finds its variables.
func (r *reader) checkPath(op *operation) bool {
	at := r.keyPlace(op.item)
	segments, err := pathtree.Split(op.path)
	if err != nil {
		r.fail(codePath, at, "write paths such as /pets/{id} or /{proxy+}", "%s", err)
		return false
	}
	for _, s := range segments {
		if c, bad := strangeCharacter(s, r.kind); bad {
			hint := "percent-encode it"
			if r.kind == rest {
				hint = "use letters, digits and . _ - : , or make this an HTTP API, which takes more"
			}
			r.fail(codePathCharacters, at, hint, "the path %s has the character %q, which API Gateway does not take", op.path, c)
			return false
		}
		if s.Kind != pathtree.Static {
			op.variables = append(op.variables, s.Name)
		}
	}
	return true
}

// strangeCharacter finds the first character that AWS does not take in a part of a path. The families differ: REST APIs
// have a list of what is allowed, HTTP APIs take what can stand in a URL's path.
func strangeCharacter(s pathtree.Segment, k kind) (rune, bool) {
	for _, c := range s.Name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune("._-:,", c):
		case s.Kind != pathtree.Static && c == '$':
		case k == http && c > ' ' && c < 0x7f && !strings.ContainsRune(`?#"<>\^|`+"`", c):
		default:
			return c, true
		}
	}
	return 0, false
}

// parameter is one declared parameter of an operation.
type parameter struct {
	name, in string
	// required is what the document says; a path parameter is required in any case.
	required bool
	at       *value
}

// parameters gives an operation's parameters with those of its path; the operation's own win.
func (r *reader) parameters(op *operation) []parameter {
	list := r.parameterList(nil, op.shared)
	return r.parameterList(list, op.at.get("parameters"))
}

func (r *reader) parameterList(list []parameter, v *value) []parameter {
	if v == nil || !r.sequence(v) {
		return list
	}
	index := make(map[[2]string]int, len(list)+len(v.n.Items))
	for i, p := range list {
		index[[2]string{p.in, p.name}] = i
	}
	for i := range v.n.Items {
		p, ok := r.parameter(v.at(i))
		if !ok {
			continue
		}
		if at, again := index[[2]string{p.in, p.name}]; again {
			list[at] = p
			continue
		}
		index[[2]string{p.in, p.name}] = len(list)
		list = append(list, p)
	}
	return list
}

func (r *reader) parameter(v *value) (parameter, bool) {
	at := r.resolve(v)
	if at == nil || !r.mapping(at) {
		return parameter{}, false
	}
	p := parameter{at: at}
	p.name, _ = r.text(at.get("name"))
	p.in, _ = r.text(at.get("in"))
	if p.in == "" || p.name == "" {
		r.fail(codeParameter, r.place(at), "a parameter needs the keys name and in", "this parameter has no name or does not say where it is")
		return p, false
	}
	p.required = r.bool(at.get("required"))
	return p, true
}

// requestParameters gives the declared parameters by AWS's names, and warns where path and declaration differ.
func (r *reader) requestParameters(op *operation, params []parameter) map[string]bool {
	out := make(map[string]bool, len(params))
	declared := map[string]bool{}
	for _, p := range params {
		switch p.in {
		case "path":
			declared[p.name] = true
			out["method.request.path."+p.name] = true
		case "query":
			out["method.request.querystring."+p.name] = p.required
		case "header":
			out["method.request.header."+p.name] = p.required
		case "body":
		case "cookie", "formData":
			r.warn(codeParameterKind, r.place(p.at), "read it in the backend", "API Gateway takes no %s parameters, so %s is left out", p.in, p.name)
		default:
			r.fail(codeBadValue, r.place(p.at.get("in")), "use path, query or header", "a parameter cannot be in %q", p.in)
		}
	}
	inPath := map[string]bool{}
	for _, name := range op.variables {
		if inPath[name] = true; !declared[name] {
			r.warn(codeUndeclaredPathVar, r.keyPlace(op.at), "declare it under parameters: {name: "+name+", in: path, required: true}",
				"the variable {%s} of %s %s is not declared among the parameters", name, op.method, op.path)
		}
	}
	for _, p := range params {
		if p.in == "path" && !inPath[p.name] {
			r.warn(codeUnusedPathVar, r.place(p.at), "put {"+p.name+"} into the path, or remove the parameter",
				"the path parameter %s is not in the path %s", p.name, op.path)
		}
	}
	return out
}

// isDefault tells whether the operation is an HTTP API's $default route.
func (op *operation) isDefault() bool { return op.own == defaultPath }

// extension reads one of an operation's extensions.
func (op *operation) extension(name string) *value { return op.at.get(name) }
