package config

import (
	"math"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// planIndex is what API keys may name.
type planIndex struct {
	byName map[string]int // position in File.UsagePlans
	names  []string
	// keys counts the keys of each plan.
	keys []int
}

func (d *decoder) readPlans(key string, n *doctree.Node) {
	d.each(key, n, func(name, value *doctree.Node) {
		d.checkName("a usage plan", name)
		p := definition.UsagePlan{ID: name.Value, Name: name.Value, Place: d.at(name)}
		ok := d.mapping("a usage plan", value, []field{
			{"stages", func(d *decoder, key string, n *doctree.Node) { p.Stages = d.readPlanStages(key, n) }},
			{"throttle", throttle(&p.Throttle)},
			{"quota", func(d *decoder, key string, n *doctree.Node) { p.Quota = d.readQuota(key, n) }},
		})
		if ok && !value.Has("stages") {
			d.warn(codePlanWithoutStages, name, `write stages: [api/stage]`, "the usage plan %s is for no stage, so its keys open nothing", quote(p.Name))
		}
		d.plans.byName[p.Name] = len(d.file.UsagePlans)
		d.plans.names = append(d.plans.names, p.Name)
		d.plans.keys = append(d.plans.keys, 0)
		d.file.UsagePlans = append(d.file.UsagePlans, p)
	})
}

// checkName keeps names short and free of what ids are put together with.
func (d *decoder) checkName(what string, n *doctree.Node) {
	if !consistsOf(n.Value, "._@+- ", 128) {
		d.fail(codeBadName, n, "", "the name of %s has 1 to 128 letters, digits, spaces and ._@+- only", what)
	}
}

func (d *decoder) readPlanStages(key string, n *doctree.Node) []definition.PlanStage {
	var out []definition.PlanStage
	seen := map[string]bool{}
	d.list(key, n, func(item *doctree.Node) {
		s, ok := d.readPlanStage(item)
		if !ok {
			return
		}
		id := s.API + "/" + s.Stage
		if seen[id] {
			d.fail(codeRepeated, item, "remove one of the two", "the stage %s stands twice in this plan", quote(id))
		}
		seen[id] = true
		out = append(out, s)
	})
	return out
}

func (d *decoder) readPlanStage(n *doctree.Node) (definition.PlanStage, bool) {
	name := n
	var methods *doctree.Node
	if n.Kind == doctree.Mapping {
		name = nil
		d.mapping("a plan's stage", n, []field{{"stage", keep(&name)}, {"methods", keep(&methods)}})
		if !d.require(n, "stage", "write stage: api/stage") {
			return definition.PlanStage{}, false
		}
	}
	a, stage, ok := d.target("a plan's stage", name, true)
	if !ok {
		return definition.PlanStage{}, false
	}
	s := definition.PlanStage{API: a.id, Stage: stage, Place: d.at(n)}
	if methods != nil {
		s.Methods = map[string]definition.Throttle{}
		d.each("methods", methods, func(key, value *doctree.Node) {
			t, ok := d.throttle("a method", value)
			if d.route(a, key) && ok {
				s.Methods[settingKey(key.Value)] = t
			}
		})
	}
	return s, a.isRead()
}

func (d *decoder) readQuota(key string, n *doctree.Node) *definition.Quota {
	q := definition.Quota{Limit: -1, Place: d.at(n)}
	period := ""
	ok := d.mapping(key, n, []field{
		{"limit", whole(&q.Limit, 1, math.MaxInt64)},
		{"period", choice(&period, string(definition.Day), string(definition.Week), string(definition.Month))},
		{"offset", whole(&q.Offset, 0, math.MaxInt64)},
	})
	if !ok {
		return nil
	}
	const hint = "write quota: {limit: 1000, period: DAY}"
	hasLimit, hasPeriod := d.require(n, "limit", hint), d.require(n, "period", hint)
	q.Period = definition.Period(period)
	if !hasLimit || !hasPeriod || q.Limit < 0 || period == "" {
		return nil
	}
	if q.Offset > q.Limit {
		d.fail(codeBadValue, n.Get("offset"), "", "offset is taken off the limit, so it cannot be more than %d", q.Limit)
	}
	return &q
}

// checkPlans runs when all keys are known.
func (d *decoder) checkPlans() {
	for i, p := range d.file.UsagePlans {
		if d.plans.keys[i] == 0 {
			d.diags.Add(definition.Warning, codePlanWithoutKeys, p.Place, "name it in a key's plans, or remove it",
				"no API key is in the usage plan %s", quote(p.Name))
		}
	}
}
