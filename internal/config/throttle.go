package config

import (
	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// maxRate and maxBurst are far above what one machine can serve, and small enough to count with.
const (
	maxRate  = 1e9
	maxBurst = 1_000_000_000
)

// throttle is a reader of {rate, burst}.
func throttle(into **definition.Throttle) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		if t, ok := d.throttle(key, n); ok {
			*into = &t
		}
	}
}

func (d *decoder) throttle(key string, n *doctree.Node) (definition.Throttle, bool) {
	t := definition.Throttle{Rate: -1, Burst: -1, Place: d.at(n)}
	if !d.mapping(key, n, []field{{"rate", number(&t.Rate, maxRate)}, {"burst", whole(&t.Burst, 0, maxBurst)}}) {
		return t, false
	}
	const hint = "rate is requests a second, burst how many may come at once"
	hasRate, hasBurst := d.require(n, "rate", hint), d.require(n, "burst", hint)
	switch {
	case !hasRate || !hasBurst || t.Rate < 0 || t.Burst < 0:
		return t, false
	case t.Rate == 0 && t.Burst == 0:
		d.warn(codeThrottleNobody, n, "", "rate and burst are 0: nobody gets through")
	case t.Rate == 0 || t.Burst == 0:
		d.fail(codeBadThrottle, n, "set both to 0 to let nobody through, or both to more",
			"rate and burst have to be more than 0, or both 0")
		return t, false
	}
	return t, true
}
