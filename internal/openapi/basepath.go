package openapi

import (
	"strings"

	"gatehouse/internal/lib/doctree"
)

// servers gives the entries of OpenAPI 3's servers. A single mapping in place of the list is taken as its only entry.
func (r *reader) servers() []*value {
	v := r.root.get("servers")
	switch {
	case v.is(doctree.Mapping):
		return []*value{v}
	case !v.is(doctree.Sequence):
		return nil
	}
	list := make([]*value, 0, len(v.n.Items))
	for i := range v.n.Items {
		if s := v.at(i); s.is(doctree.Mapping) {
			list = append(list, s)
		}
	}
	return list
}

// basePath gives what goes before each path: "" or such as "/v1".
func (r *reader) basePath() string {
	base, at := r.documentBasePath()
	base = strings.Trim(base, "/")
	if base == "" || strings.ContainsAny(base, "{}?#") {
		if base != "" && r.o.BasePath != "" && r.o.BasePath != "ignore" {
			r.fail(codeBasePath, r.place(at), "write a plain path such as /v1", "the base path %q is not a plain path", base)
		}
		return ""
	}
	switch r.o.BasePath {
	case "prepend":
		return "/" + base
	case "split": // the first part is taken for the stage
		if _, rest, ok := strings.Cut(base, "/"); ok {
			return "/" + rest
		}
	}
	return ""
}

func (r *reader) documentBasePath() (string, *value) {
	if r.swagger {
		v := r.root.get("basePath")
		s, _ := r.text(v)
		return s, v
	}
	if v := r.root.get("servers"); v != nil && !v.is(doctree.Sequence) {
		r.warn(codeWrongType, r.place(v), "write servers: [{url: …}]", "servers must be a list")
	}
	servers := r.servers()
	if len(servers) == 0 {
		return "", nil
	}
	if v := servers[0].get("variables").get("basePath").get("default"); v != nil {
		s, _ := r.text(v)
		return s, v
	}
	v := servers[0].get("url")
	s, _ := r.text(v)
	return urlPath(s), v
}

// urlPath gives a server URL's path. Variables may stand anywhere in such a URL, so that it is not yet a URL.
func urlPath(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		return path
	}
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return "" // a host, or a variable for all of it
	}
	return s
}
