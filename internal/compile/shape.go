package compile

import (
	"strings"
	"time"

	"gatehouse/internal/snapshot"
)

// shape is all of a route that its plan is built from. Routes of one shape share a plan, which stays in the processor's
// caches however many routes there are; what is a single route's own, the steps read from the exchange.
type shape struct {
	stage     *snapshot.Stage
	key       bool
	limits    string
	notServed string
	kind      snapshot.IntegrationKind
	upstream  *snapshot.Upstream
	host      string
	method    string
	timeout   time.Duration
	// own is set for integrations that map anything: their plans are not shared.
	own *snapshot.Integration
}

func shapeOf(r *snapshot.Route) shape {
	s := shape{stage: r.Stage, key: r.APIKeyRequired, notServed: r.NotServed}
	var limits strings.Builder
	for _, l := range r.Limits {
		limits.WriteString(l.ID)
		limits.WriteByte(0)
	}
	s.limits = limits.String()
	if in := r.Integration; in != nil {
		s.kind, s.upstream, s.host, s.method, s.timeout = in.Kind, in.Upstream, in.Host, in.Method, in.Timeout
		if in.Kind != snapshot.HTTPProxy || len(in.Headers) > 0 || len(in.Queries) > 0 {
			s.own = in
		}
	}
	return s
}

// shapes numbers the shapes of all routes.
func (c *compiler) shapes() {
	numbers := map[shape]int{}
	for _, r := range c.out.Routes {
		k := shapeOf(r)
		n, ok := numbers[k]
		if !ok {
			n = len(numbers)
			numbers[k] = n
		}
		r.Shape = n
	}
	c.out.Shapes = len(numbers)
}
