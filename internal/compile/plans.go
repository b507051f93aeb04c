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
	source   *definition.UsagePlan
	stages   []planStage
}

type planStage struct {
	id string
	// methods is keyed by route key.
	methods map[string]definition.Throttle
}

func (c *compiler) plans() map[string]*plan {
	out := make(map[string]*plan, len(c.in.UsagePlans))
	for i := range c.in.UsagePlans {
		d := &c.in.UsagePlans[i]
		p := &plan{compiled: &snapshot.Plan{ID: d.ID, Name: d.Name}, source: d}
		if d.Quota != nil {
			p.compiled.Quota = &snapshot.Quota{Limit: d.Quota.Limit, Offset: d.Quota.Offset, Period: period(d.Quota.Period)}
		}
		for j := range d.Stages {
			if s, ok := c.planStage(d, &d.Stages[j]); ok {
				p.stages = append(p.stages, s)
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
	out := planStage{id: stage.ID}
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
	c.out.Keys = make(map[snapshot.Digest]*snapshot.Key, len(c.in.APIKeys))
	seen := make(map[snapshot.Digest]string, len(c.in.APIKeys))
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
		k := &snapshot.Key{ID: d.ID, Name: d.Name, Digest: digest, Plans: make(map[string]*snapshot.PlanUse, 1)}
		for _, id := range d.Plans {
			if p, ok := plans[id]; ok {
				c.usePlan(k, p, d.Place)
			} else {
				c.error("unknown-plan", d.Place, "name a plan under `usage_plans:`", "the API key %q names the usage plan %q, which does not exist", d.Name, id)
			}
		}
		c.out.Keys[digest] = k
	}
}

// usePlan gives a key its place in a plan. The bucket and the counter are shared by the plan's stages.
func (c *compiler) usePlan(k *snapshot.Key, p *plan, at definition.Place) {
	id := p.compiled.ID + "/" + k.ID
	var shared *snapshot.PlanUse
	for i := range p.stages {
		s := &p.stages[i]
		if other, ok := k.Plans[s.id]; ok {
			c.error("two-plans", at, "a key may be in one plan of a stage", "the API key %q is in the plans %q and %q, both for %s", k.Name, other.Plan.Name, p.compiled.Name, s.id)
			continue
		}
		if shared != nil && s.methods == nil {
			k.Plans[s.id] = shared
			continue
		}
		use := &snapshot.PlanUse{Plan: p.compiled, CounterID: id}
		if t := p.source.Throttle; t != nil {
			use.Limit, use.HasLimit = limit(id, t), true
		}
		for key, t := range s.methods {
			if use.Methods == nil {
				use.Methods = make(map[string]snapshot.Limit, len(s.methods))
			}
			use.Methods[key] = limit(id+"/"+s.id+"/"+key, &t)
		}
		k.Plans[s.id] = use
		if s.methods == nil {
			shared = use
		}
	}
}
