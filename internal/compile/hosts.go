package compile

import (
	"slices"
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
)

// mappings compiles which host and base path leads where.
func (c *compiler) mappings() {
	h := &c.out.Hosts
	h.Exact, h.Wildcard = map[string][]snapshot.Mapping{}, map[string][]snapshot.Mapping{}
	seen := map[string]bool{}
	for i := range c.in.Mappings {
		d := &c.in.Mappings[i]
		host, base := strings.ToLower(d.Host), strings.TrimRight(d.BasePath, "/")
		if seen[host+" "+base] {
			c.error("duplicate-mapping", d.Place, "remove one of them", "%s%s is mapped twice", d.Host, d.BasePath)
			continue
		}
		seen[host+" "+base] = true
		m, ok := c.mapping(d, base)
		if !ok {
			continue
		}
		switch {
		case host == "*":
			h.Any = append(h.Any, m)
		case strings.HasPrefix(host, "*."):
			h.Wildcard[host[1:]] = append(h.Wildcard[host[1:]], m)
		default:
			h.Exact[host] = append(h.Exact[host], m)
		}
	}
	longestFirst(h.Any)
	for _, all := range []map[string][]snapshot.Mapping{h.Exact, h.Wildcard} {
		for _, ms := range all {
			longestFirst(ms)
		}
	}
}

func longestFirst(ms []snapshot.Mapping) {
	slices.SortStableFunc(ms, func(a, b snapshot.Mapping) int { return len(b.BasePath) - len(a.BasePath) })
}

func (c *compiler) mapping(d *definition.Mapping, base string) (snapshot.Mapping, bool) {
	api := c.out.APIs[d.API]
	if api == nil {
		c.error("unknown-stage", d.Place, "name an API under `apis:`", "%s%s leads to the API %q, which does not exist", d.Host, d.BasePath, d.API)
		return snapshot.Mapping{}, false
	}
	m := snapshot.Mapping{BasePath: base, API: api}
	if d.Stage != "" {
		if m.Stage = api.Stages[d.Stage]; m.Stage == nil {
			c.error("unknown-stage", d.Place, "name a stage of the API", "%s%s leads to the stage %s/%s, which does not exist", d.Host, d.BasePath, d.API, d.Stage)
			return snapshot.Mapping{}, false
		}
	}
	return m, true
}
