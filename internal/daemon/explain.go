package daemon

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/respond"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/snapshot"
)

// Question is a request of which Explain tells what would become of it.
type Question struct {
	Host   string
	Method string
	// Target is the path with its query.
	Target string
}

// Explain says which API, stage, route, plan, limits and backend a request would get, or why none; ok reports whether a
// route was found. Nothing is called.
func Explain(ctx context.Context, s *snapshot.Snapshot, q Question) (text string, ok bool, err error) {
	ledger, err := throttle.Open(ctx, throttle.Config{Now: time.Now})
	if err != nil {
		return "", false, err
	}
	d := dataplane.Preview(s, ledger)
	text, ok = explain(d, s, q)
	return text, ok, ledger.Close(ctx)
}

func explain(d *dataplane.Dataplane, s *snapshot.Snapshot, q Question) (text string, ok bool) {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	var rc fasthttp.RequestCtx
	rc.Request.Header.SetMethod(strings.ToUpper(q.Method))
	rc.Request.Header.SetHost(q.Host)
	rc.Request.SetRequestURI(q.Target)
	x := &exchange.Exchange{Request: &rc.Request, Response: &rc.Response}
	line("request", "%s %s  (Host: %s)", strings.ToUpper(q.Method), q.Target, q.Host)
	err := d.Match(x)
	if x.Stage != nil {
		line("api", "%s (%s), stage %s", x.Stage.API.ID, x.Stage.API.Kind, x.Stage.Name)
	}
	if err != nil {
		respond.Refuse(x, err)
		line("route", "none: %s", err)
		line("answer", "%d %s", x.Response.StatusCode(), x.Response.Body())
		if x.Stage != nil {
			nearby(&b, x)
		} else {
			hosts(&b, s)
		}
		return b.String(), false
	}
	r := x.Route
	line("route", "%s", r.Key)
	for i, name := range r.Params {
		line("", "{%s} = %s", name, x.Param(i))
	}
	line("plan", "listen → match → %s", strings.Join(slices.Collect(d.Steps(r)), " → "))
	access(line, r)
	for _, l := range r.Limits {
		line("limit", "%s", describe(l))
	}
	backend(line, x)
	return b.String(), true
}

type printer func(name, format string, args ...any)

func access(line printer, r *snapshot.Route) {
	if r.APIKeyRequired {
		line("access", "an API key of a usage plan for %s, in the header x-api-key", r.Stage.ID)
		for _, p := range r.Stage.Plans {
			line("usage plan", "%s: each key %s", p.Name, allowance(p))
		}
	} else {
		line("access", "anyone")
	}
}

// allowance says what a usage plan gives each key.
func allowance(p *snapshot.Plan) string {
	var parts []string
	if l := p.Limit; l != nil {
		parts = append(parts, fmt.Sprintf("%s a second, burst %d", strconv.FormatFloat(l.Rate, 'f', -1, 64), l.Burst))
	}
	if q := p.Quota; q != nil {
		parts = append(parts, fmt.Sprintf("%d a %s", q.Limit, strings.ToLower(q.Period.String())))
	}
	if parts == nil {
		return "without limits of its own"
	}
	return strings.Join(parts, ", ")
}

func describe(l snapshot.Limit) string {
	return fmt.Sprintf("%s requests a second, burst %d (%s)", strconv.FormatFloat(l.Rate, 'f', -1, 64), l.Burst, l.ID)
}

// backend prints what would be called.
func backend(line printer, x *exchange.Exchange) {
	r := x.Route
	if r.NotServed != "" {
		line("answer", "501: this operation needs %s", r.NotServed)
		return
	}
	in := r.Integration
	if in == nil {
		return
	}
	if in.Kind == snapshot.Mock {
		line("backend", "none: a mock, status %s", in.MockStatus)
		return
	}
	method := in.Method
	if method == "" || method == "ANY" {
		method = string(x.Method)
	}
	scheme, _, _ := strings.Cut(in.Upstream.ID, "://")
	url := scheme + "://" + in.Host + string(x.Append(nil, in.Path, exchange.PathSegment))
	var query []string
	if q := string(x.Append(nil, in.Query, exchange.QueryValue)); q != "" {
		query = append(query, q)
	}
	if q := x.RawQuery(); in.QueryPasses && len(q) > 0 {
		query = append(query, string(q))
	}
	if len(query) > 0 {
		url += "?" + strings.Join(query, "&")
	}
	line("backend", "%s %s  (%s, at most %s)", method, url, in.Kind, in.Timeout)
	for _, s := range in.Upstream.Servers {
		protocol := "http"
		if s.TLS {
			protocol = "https"
		}
		line("server", "%s://%s", protocol, s.Addr)
	}
}

// nearby lists the stage's routes that are most like the request, for people who mistyped.
func nearby(b *strings.Builder, x *exchange.Exchange) {
	first := firstSegment(string(x.Path))
	var like []string
	for _, r := range x.Stage.AllRoutes {
		if firstSegment(r.Path) == first {
			like = append(like, r.Key)
		}
	}
	if like == nil {
		for _, r := range x.Stage.AllRoutes {
			like = append(like, r.Key)
		}
	}
	slices.SortFunc(like, func(a, b string) int { return cmp.Compare(pathOf(a), pathOf(b)) })
	const most = 10
	for i, key := range like {
		name := ""
		if i == 0 {
			name = "routes"
		}
		if i == most {
			fmt.Fprintf(b, "%-10s … and %d more\n", "", len(like)-most)
			return
		}
		fmt.Fprintf(b, "%-10s %s\n", name, key)
	}
}

func firstSegment(path string) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return segment
}

func pathOf(key string) string {
	_, path, _ := strings.Cut(key, " ")
	return path
}

// hosts lists what is mapped.
func hosts(b *strings.Builder, s *snapshot.Snapshot) {
	name := "mapped"
	show := func(host string, all []snapshot.Mapping) {
		for _, m := range all {
			to := m.API.ID + "/{stage}"
			if m.Stage != nil {
				to = m.Stage.ID
			}
			fmt.Fprintf(b, "%-10s %s%s/ → %s\n", name, host, m.BasePath, to)
			name = ""
		}
	}
	for _, host := range slices.Sorted(maps.Keys(s.Hosts.Exact)) {
		show(host, s.Hosts.Exact[host])
	}
	for _, host := range slices.Sorted(maps.Keys(s.Hosts.Wildcard)) {
		show("*"+host, s.Hosts.Wildcard[host])
	}
	show("*", s.Hosts.Any)
	for _, id := range slices.Sorted(maps.Keys(s.APIs)) {
		fmt.Fprintf(b, "%-10s any host/_aws/execute-api/%s/{stage}/\n", name, id)
		name = ""
	}
}
