package compile

import (
	"time"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/snapshot"
)

// Input is everything that is to be served.
type Input struct {
	REST       []v1.RestAPI
	HTTP       []v2.API
	Mappings   []definition.Mapping
	Upstreams  []definition.Upstream
	UsagePlans []definition.UsagePlan
	APIKeys    []definition.APIKey
	// Account is the limit shared by all stages without one of their own; nil is AWS's 10,000 a second, burst 5,000.
	Account *definition.Throttle
	// LogFormat is the access log's format of stages without one of their own. It is checked only.
	LogFormat v1.Text
}

// Compile makes a snapshot. With Error diagnostics the snapshot must not be served; without them it can be. The
// diagnostics are sorted. Now is written into the snapshot.
func Compile(in Input, now time.Time) (*snapshot.Snapshot, definition.Diagnostics) {
	c := &compiler{
		in:        in,
		out:       &snapshot.Snapshot{APIs: map[string]*snapshot.API{}, Upstreams: map[string]*snapshot.Upstream{}, Made: now},
		context:   snapshot.ContextVars(),
		upstreams: map[string]*definition.Upstream{},
		used:      map[string]bool{},
		account:   accountLimit(in.Account),
	}
	c.logFormat(in.LogFormat)
	c.indexUpstreams()
	for i := range in.REST {
		c.restAPI(&in.REST[i])
	}
	for i := range in.HTTP {
		c.httpAPI(&in.HTTP[i])
	}
	c.mappings()
	c.keys(c.plans())
	c.unusedUpstreams()
	c.pack()
	c.shapes()
	c.diags.Sort()
	return c.out, c.diags
}

// compiler is one run of Compile.
type compiler struct {
	in      Input
	out     *snapshot.Snapshot
	diags   definition.Diagnostics
	context map[string]snapshot.ContextVar
	// upstreams is keyed by host as in the config; used marks those that an integration named.
	upstreams map[string]*definition.Upstream
	used      map[string]bool
	account   snapshot.Limit
}

func (c *compiler) error(code string, at definition.Place, hint, format string, args ...any) {
	c.diags.Add(definition.Error, code, at, hint, format, args...)
}

func (c *compiler) warn(code string, at definition.Place, hint, format string, args ...any) {
	c.diags.Add(definition.Warning, code, at, hint, format, args...)
}

// accountID names the bucket that all stages without a limit of their own share.
const accountID = "account"

// AWS's account limit.
const (
	accountRate  = 10_000
	accountBurst = 5_000
)

func accountLimit(t *definition.Throttle) snapshot.Limit {
	if t == nil {
		return snapshot.Limit{ID: accountID, Rate: accountRate, Burst: accountBurst}
	}
	return limit(accountID, t)
}

func limit(id string, t *definition.Throttle) snapshot.Limit {
	return snapshot.Limit{ID: id, Rate: t.Rate, Burst: t.Burst}
}

// addAPI registers an API's compiled form under its id.
func (c *compiler) addAPI(a *snapshot.API, at definition.Place) {
	if _, ok := c.out.APIs[a.ID]; ok {
		c.error("duplicate-api", at, "give one of them another name", "the API %q is defined twice", a.ID)
		return
	}
	c.out.APIs[a.ID] = a
}

// addRoute puts a route into its stage and the snapshot.
func (c *compiler) addRoute(s *snapshot.Stage, r *snapshot.Route, at definition.Place) {
	r.Stage, r.ID, r.Index = s, s.ID+"/"+r.Key, len(c.out.Routes)
	if r.Key == defaultRoute {
		s.Default = r
	} else if err := s.Routes.Add(r.Method, r.Path, r); err != nil {
		c.error("route-conflict", at, "two paths may not compete for the same requests: rename or remove one of them", "%s: %v", r.Key, err)
		return
	}
	s.AllRoutes = append(s.AllRoutes, r)
	c.out.Routes = append(c.out.Routes, r)
}

const defaultRoute = "$default"

// operation is what the rules need to know of the method or route that they look at.
type operation struct {
	// key is "GET /pets" and place where the user wrote it.
	key   string
	place definition.Place
	// path is the resource path, params its variables.
	path      string
	params    []string
	answer    bool
	variables map[string]string
	stage     string
	rest      bool
	// notServed is set by unserved.
	notServed string
}

// unserved says that the operation needs something Gatehouse does not serve yet: the API is refused, or the operation
// answers 501 where the user asked for that.
func (c *compiler) unserved(op *operation, code string, at definition.Place, format string, args ...any) {
	if op.answer {
		op.notServed = code
		c.warn(code, at, "until then this operation answers 501", format, args...)
		return
	}
	c.error(code, at, "remove it, or set `unserved: answer` on the API to serve the other operations and answer 501 here", format, args...)
}
