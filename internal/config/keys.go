package config

import (
	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// The bounds of an API key's value, AWS's, in characters.
const (
	minKeyValue = 20
	maxKeyValue = 128
)

func (d *decoder) readKeys(key string, n *doctree.Node) {
	if n.Kind == doctree.Mapping {
		d.file.APIKeys = make([]definition.APIKey, 0, len(n.Pairs))
	}
	// owner is the first key with a value, by that value.
	owner := make(map[string]*doctree.Node, len(n.Pairs))
	d.each(key, n, func(name, value *doctree.Node) {
		k, ok := d.readKey(name, value)
		if !ok {
			return
		}
		if first := owner[k.Value]; first != nil {
			d.fail(codeKeyValue, value.Get("value"), "give each key a value of its own", "the API keys %s and %s have the same value",
				quote(first.Value), quote(name.Value))
			return
		}
		owner[k.Value] = name
		d.file.APIKeys = append(d.file.APIKeys, k)
	})
}

func (d *decoder) readKey(name, n *doctree.Node) (definition.APIKey, bool) {
	d.checkName("an API key", name)
	k := definition.APIKey{ID: name.Value, Name: name.Value, Enabled: true, Place: d.at(name)}
	ok := d.mapping("an API key", n, []field{
		{"value", func(d *decoder, key string, n *doctree.Node) { k.Value = d.keyValue(key, n) }},
		{"plans", func(d *decoder, key string, n *doctree.Node) { k.Plans = d.keyPlans(name, key, n) }},
		{"enabled", boolean(&k.Enabled)},
	})
	if !ok || !d.require(n, "value", `write value: "${NAME}" and set the variable`) {
		return k, false
	}
	if plans := n.Get("plans"); plans == nil || plans.Kind == doctree.Sequence && len(plans.Items) == 0 {
		d.warn(codeKeyWithoutPlan, name, "write plans: [name of a usage plan]", "the API key %s has no usage plan, so it opens nothing", quote(name.Value))
	}
	return k, k.Value != ""
}

// keyValue never puts the value into a message.
func (d *decoder) keyValue(key string, n *doctree.Node) string {
	s, ok := d.scalar(key, n, "text")
	if !ok {
		return ""
	}
	if len(s) < minKeyValue || len(s) > maxKeyValue {
		d.fail(codeKeyValue, n, "", "the value of an API key has %d to %d characters", minKeyValue, maxKeyValue)
		return ""
	}
	for i := range len(s) {
		// AWS: the documents name no characters; others do not come through a header unchanged.
		if s[i] <= ' ' || s[i] > '~' {
			d.fail(codeKeyValue, n, "look for a space or a line break", "the value of an API key has visible ASCII characters only")
			return ""
		}
	}
	return s
}

// keyPlans checks the plans of one key: known, and one for each stage.
func (d *decoder) keyPlans(name *doctree.Node, key string, n *doctree.Node) []string {
	var out []string
	var positions []int
	d.list(key, n, func(item *doctree.Node) {
		plan, ok := d.scalar("a plan", item, "the name of a usage plan")
		if !ok {
			return
		}
		i, known := d.plans.byName[plan]
		if !known {
			d.fail(codeUnknownPlan, item, didYouMean(item.Value, d.plans.names), "no usage plan is named %s", quote(item.Value))
			return
		}
		for _, other := range positions {
			if stage := d.sharedStage(i, other); stage != "" {
				d.fail(codeKeyInTwoPlans, item, "a key has one plan for each stage: remove one",
					"the API key %s is in two plans for the stage %s", quote(name.Value), quote(stage))
				return
			}
		}
		positions = append(positions, i)
		out = append(out, plan)
		d.plans.keys[i]++
	})
	return out
}

// sharedStage gives a stage that two plans have in common, or "".
func (d *decoder) sharedStage(i, j int) string {
	for _, a := range d.file.UsagePlans[i].Stages {
		for _, b := range d.file.UsagePlans[j].Stages {
			if a.API == b.API && a.Stage == b.Stage {
				return a.API + "/" + a.Stage
			}
		}
	}
	return ""
}
