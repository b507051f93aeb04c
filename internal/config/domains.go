package config

import (
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// maxBasePath is AWS's limit of a mapping's key, in characters.
const maxBasePath = 300

func (d *decoder) readDomains(key string, n *doctree.Node) {
	seen := map[string]bool{}
	d.each(key, n, func(name, value *doctree.Node) {
		host := strings.ToLower(name.Value)
		switch {
		case !isDomain(host):
			d.fail(codeBadHost, name, "write a name without scheme and port, *.example.com or *", "%s is not a host", quote(name.Value))
		case seen[host]:
			d.fail(codeRepeated, name, "put the base paths together", "the host %s is here in another spelling already", quote(name.Value))
		}
		seen[host] = true
		d.readBasePaths(host, value)
	})
}

func (d *decoder) readBasePaths(host string, n *doctree.Node) {
	d.each("a host", n, func(path, value *doctree.Node) {
		ok := d.basePath(path)
		a, stage, found := d.target("a base path", value, false)
		if !ok || !found || !a.isRead() {
			return
		}
		d.file.Mappings = append(d.file.Mappings,
			definition.Mapping{Host: host, BasePath: path.Value, API: a.id, Stage: stage, Place: d.at(path)})
	})
}

func (d *decoder) basePath(n *doctree.Node) bool {
	if n.Value == "/" {
		return true
	}
	hint := `write it like "/" or "/shop"`
	rest, ok := strings.CutPrefix(n.Value, "/")
	if !ok || len(n.Value) > maxBasePath {
		d.fail(codeBadBasePath, n, hint, "the base path %s does not begin with a slash, or is longer than %d characters", quote(n.Value), maxBasePath)
		return false
	}
	for i, s := range strings.Split(rest, "/") {
		switch {
		case !consistsOf(s, "$-_.+!*'()", maxBasePath) || s == "." || s == "..":
			d.fail(codeBadBasePath, n, hint, "the base path %s has an empty segment, or characters that AWS does not allow in it", quote(n.Value))
			return false
		case i == 0 && s == "_aws":
			d.fail(codeBadBasePath, n, hint, "the base path /_aws is Gatehouse's own")
			return false
		}
	}
	return true
}

// isDomain takes lower-case text.
func isDomain(host string) bool {
	if host == "*" {
		return true
	}
	return isHostName(strings.TrimPrefix(host, "*."))
}

// isHostName tells whether a name can stand in a Host header: labels of letters, digits, hyphens and underscores.
func isHostName(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if !consistsOf(label, "-_", 63) {
			return false
		}
	}
	return true
}
