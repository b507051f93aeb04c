package compile

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
)

// plan is a usage plan with the stages it covers.
type plan struct {
	compiled *snapshot.Plan
	stages   []planStage
}

type planStage struct {
	stage *snapshot.Stage
	// methods is keyed by route key.
	methods map[string]definition.Throttle
}

func (c *compiler) plans() map[string]*plan {
	out := make(map[string]*plan, len(c.in.UsagePlans))
	for i := range c.in.UsagePlans {
		d := &c.in.UsagePlans[i]
		p := &plan{compiled: &snapshot.Plan{ID: d.ID, Name: d.Name}}
		if d.Throttle != nil {
			each := limit("", d.Throttle)
			p.compiled.Limit = &each
		}
		if d.Quota != nil {
			p.compiled.Quota = &snapshot.Quota{Limit: d.Quota.Limit, Offset: d.Quota.Offset, Period: period(d.Quota.Period)}
		}
		for j := range d.Stages {
			if s, ok := c.planStage(d, &d.Stages[j]); ok {
				p.stages = append(p.stages, s)
				s.stage.Plans = append(s.stage.Plans, p.compiled)
			}
		}
		out[d.ID] = p
	}
	return out
}

func period(p definition.Period) snapshot.Period {
	switch p {
	case definition.Week:
		return snapshot.Week
	case definition.Month:
		return snapshot.Month
	default:
		return snapshot.Day
	}
}

func (c *compiler) planStage(d *definition.UsagePlan, ps *definition.PlanStage) (planStage, bool) {
	api := c.out.APIs[ps.API]
	if api == nil || api.Stages[ps.Stage] == nil {
		c.error("unknown-stage", ps.Place, "name a stage as api/stage", "the usage plan %q names %s/%s, which does not exist", d.Name, ps.API, ps.Stage)
		return planStage{}, false
	}
	if api.Kind == snapshot.HTTP {
		c.error("plan-on-http-api", ps.Place, "say `kind: rest` for this API", "the usage plan %q names %s/%s, and HTTP APIs have no usage plans", d.Name, ps.API, ps.Stage)
		return planStage{}, false
	}
	stage := api.Stages[ps.Stage]
	out := planStage{stage: stage}
	for _, key := range slices.Sorted(maps.Keys(ps.Methods)) {
		routeKey, ok := routeKeyOf(stage, key)
		if !ok {
			c.error("unknown-method", ps.Methods[key].Place, "name a method as the definition has it", "the usage plan %q limits %s, which %s does not have", d.Name, key, stage.ID)
			continue
		}
		if out.methods == nil {
			out.methods = map[string]definition.Throttle{}
		}
		out.methods[routeKey] = ps.Methods[key]
	}
	return out, true
}

// routeKeyOf finds the route that a plan calls "/path/METHOD".
func routeKeyOf(s *snapshot.Stage, key string) (string, bool) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", false
	}
	path, method := key[:i], key[i+1:]
	if path == "" {
		path = "/"
	}
	want := method + " " + path
	for _, r := range s.AllRoutes {
		if r.Key == want {
			return want, true
		}
	}
	return "", false
}

// keys compiles the enabled API keys. Only their digests go into the snapshot.
func (c *compiler) keys(plans map[string]*plan) {
	enabled := make([]snapshot.Key, 0, len(c.in.APIKeys))
	seen := make(map[snapshot.Digest]string, len(c.in.APIKeys))
	m := members{compiler: c, plans: plans, groups: map[string]*group{}}
	for i := range c.in.APIKeys {
		d := &c.in.APIKeys[i]
		digest := snapshot.Digest(sha256.Sum256([]byte(d.Value)))
		if other, ok := seen[digest]; ok {
			c.error("duplicate-key", d.Place, "give each key a value of its own", "the API keys %q and %q have the same value", other, d.Name)
			continue
		}
		seen[digest] = d.Name
		if !d.Enabled {
			continue
		}
		k := snapshot.Key{ID: d.ID, Digest: digest}
		m.join(&k, d)
		enabled = append(enabled, k)
	}
	m.count()
	c.out.Keys = snapshot.NewKeys(slices.Clip(enabled))
}

// members puts keys into plans. Keys with the same plans form a group.
type members struct {
	*compiler
	plans  map[string]*plan
	groups map[string]*group
}

// group is what the keys that are in the same plans share.
type group struct {
	uses map[*snapshot.Stage]*snapshot.PlanUse
	keys uint32
}

// join gives a key what its plans allow it, and its number in its group.
func (m *members) join(k *snapshot.Key, d *definition.APIKey) {
	name := strings.Join(d.Plans, "\x00")
	g := m.groups[name]
	if g == nil {
		var ok bool
		if g, ok = m.group(d); ok { // else each key is told what is wrong
			m.groups[name] = g
		}
	}
	k.Plans, k.Index = g.uses, g.keys
	g.keys++
}

// count tells each plan use how many keys share it.
func (m *members) count() {
	for _, g := range m.groups {
		for _, use := range g.uses {
			use.Keys = int(g.keys)
		}
	}
}

// group makes the group of a key's plans, and reports whether all of them can be used.
func (m *members) group(d *definition.APIKey) (g *group, ok bool) {
	g, ok = &group{uses: map[*snapshot.Stage]*snapshot.PlanUse{}}, true
	for _, id := range d.Plans {
		p := m.plans[id]
		if p == nil {
			m.error("unknown-plan", d.Place, "name a plan under `usage_plans:`", "the API key %q names the usage plan %q, which does not exist", d.Name, id)
			ok = false
			continue
		}
		shared := &snapshot.PlanUse{Plan: p.compiled}
		for i := range p.stages {
			s := &p.stages[i]
			if other := g.uses[s.stage]; other != nil {
				m.error("two-plans", d.Place, "a key may be in one plan of a stage", "the API key %q is in the plans %q and %q, both for %s",
					d.Name, other.Plan.Name, p.compiled.Name, s.stage.ID)
				ok = false
				continue
			}
			g.uses[s.stage] = s.use(shared)
		}
	}
	return g, ok
}

// use gives what the plan allows on the stage: shared, but where the stage has limits for single routes.
func (s *planStage) use(shared *snapshot.PlanUse) *snapshot.PlanUse {
	if len(s.methods) == 0 {
		return shared
	}
	use := &snapshot.PlanUse{Plan: shared.Plan, Methods: make(map[string]*snapshot.Limit, len(s.methods))}
	for key, t := range s.methods {
		each := limit(s.stage.ID+"/"+key, &t)
		use.Methods[key] = &each
	}
	return use
}
