package compile

import (
	"strings"

	"gatehouse/internal/snapshot"
)

// pack gathers the texts that every request to a route reads, so that they stand together in memory, and finds the
// routes whose target is constant.
func (c *compiler) pack() {
	var b strings.Builder
	for _, r := range c.out.Routes {
		r.Target = constantTarget(r.Integration)
		b.WriteString(r.Key)
		b.WriteString(r.Target)
	}
	all := b.String()
	take := func(s *string) { *s, all = all[:len(*s)], all[len(*s):] }
	for _, r := range c.out.Routes {
		take(&r.Key)
		take(&r.Target)
	}
}

// constantTarget gives the path for the backend if it needs neither filling in nor encoding.
func constantTarget(in *snapshot.Integration) string {
	if in == nil || len(in.Query) > 0 {
		return ""
	}
	path, ok := in.Path.Constant()
	if !ok || !strings.HasPrefix(path, "/") {
		return ""
	}
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || c == '#' || c == '?' {
			return ""
		}
	}
	return path
}
