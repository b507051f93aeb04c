package compile

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// gatewayResponses compiles how a stage answers refused requests: a type's own response, else the default of its class.
func (c *compiler) gatewayResponses(s *snapshot.Stage, a *v1.RestAPI, d *v1.Stage) {
	op := &operation{key: "gateway response", place: a.Place, variables: d.Variables, stage: d.Name, rest: true}
	for _, name := range slices.Sorted(maps.Keys(a.GatewayResponses)) {
		g := a.GatewayResponses[name]
		k, ok := fault.KindOf(name)
		if !ok {
			c.error("unknown-gateway-response", g.Place, "see the list of types in docs/reference/gateway-responses.md", "there is no gateway response type %q", name)
			continue
		}
		if k == fault.RequestTooLarge {
			c.warn("not-customisable", g.Place, "", "REQUEST_TOO_LARGE cannot be customised, as on AWS")
			continue
		}
		s.Refusals[k] = c.refusal(op, &g)
	}
}

func (c *compiler) refusal(op *operation, g *v1.GatewayResponse) *snapshot.Refusal {
	out := &snapshot.Refusal{}
	if g.StatusCode != "" {
		n, err := strconv.Atoi(g.StatusCode)
		if err != nil || n < 100 || n > 599 {
			c.error("bad-status", g.Place, "give a statusCode from 100 to 599", "the gateway response %s has the status %q", g.ResponseType, g.StatusCode)
		}
		out.Status = n
	}
	for _, key := range slices.Sorted(maps.Keys(g.ResponseParameters)) {
		text := g.ResponseParameters[key]
		name, ok := strings.CutPrefix(key, "gatewayresponse.header.")
		if !ok {
			c.error("bad-mapping", text.Place, "use gatewayresponse.header.NAME", "the gateway response %s maps %q", g.ResponseType, key)
			continue
		}
		if a, ok := c.assign(op, name, text); ok {
			out.Headers = append(out.Headers, a)
		}
	}
	for _, media := range jsonFirst(g.ResponseTemplates) {
		t := g.ResponseTemplates[media]
		text, errs := c.substitutions(t.Value, op)
		for _, err := range errs {
			c.mappingError(op, t.Place, err)
		}
		out.Bodies = append(out.Bodies, snapshot.RefusalBody{MediaType: media, Text: text})
	}
	return out
}

// logFormat compiles an access log's format; nil for none.
func (c *compiler) logFormat(t v1.Text) *snapshot.LogFormat {
	f, errs := LogFormat(t.Value)
	for _, err := range errs {
		c.error("bad-log-format", t.Place, "see docs/reference/access-log.md", "the access log's format: %v", err)
	}
	return f
}

// MaxLogFormat is AWS's bound of an access log format, in bytes.
const MaxLogFormat = 3 << 10

// LogFormat compiles an access log's format, by name or with $context variables; nil for the empty one.
func LogFormat(s string) (*snapshot.LogFormat, []error) {
	if s == "" {
		return nil, nil
	}
	if len(s) > MaxLogFormat {
		return nil, []error{badExpression("it has %d bytes, and AWS takes 3072", len(s))}
	}
	s = definition.NamedLogFormat(s)
	c := compiler{context: snapshot.ContextVars()}
	line := strings.Join(strings.Fields(strings.ReplaceAll(s, "\n", " ")), " ")
	t, errs := c.substitutions(line, &operation{})
	return &snapshot.LogFormat{Text: t, JSON: strings.HasPrefix(line, "{")}, errs
}
