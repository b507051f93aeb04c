package config

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/doctree"
	"gatehouse/internal/lib/pathtree"
)

// route is one line under routes: a method and a path that are proxied to a URL.
type route struct {
	key, method, path string
	// variables are the names in the path, used those that the URL holds.
	variables, used []string
	url             v1.Text
	timeout         time.Duration
	apiKey          bool
	access          v1.Access
	place           definition.Place
}

// readRoutes makes an API of routes. Access is decided for each route here, so the API is never marked public: a route
// that says public: false in a public API stays unstated.
func (d *decoder) readRoutes(a *api) {
	if !d.isMapping("routes", a.routesNode) {
		return
	}
	if len(a.routesNode.Pairs) == 0 {
		d.fail(codeBadValue, a.routesNode, `write "GET /": http://127.0.0.1:9000/`, "an API needs at least one route")
		return
	}
	var routes []route
	d.each("routes", a.routesNode, func(key, value *doctree.Node) {
		if r, ok := d.readRoute(a, key, value); ok {
			routes = append(routes, r)
		}
	})
	slices.SortStableFunc(routes, func(x, y route) int { return cmp.Or(cmp.Compare(x.path, y.path), cmp.Compare(x.method, y.method)) })
	name := cmp.Or(a.name, a.id)
	if a.kind == "http" {
		a.http = &v2.API{ID: a.id, Name: name, AnswerUnserved: a.unserved == "answer", Place: d.at(a.node)}
		for _, r := range routes {
			a.http.Routes = append(a.http.Routes, r.v2())
		}
		return
	}
	a.rest = &v1.RestAPI{ID: a.id, Name: name, APIKeySource: "HEADER", AnswerUnserved: a.unserved == "answer", Place: d.at(a.node)}
	for _, r := range routes {
		last := len(a.rest.Resources) - 1
		if last < 0 || a.rest.Resources[last].Path != r.path {
			a.rest.Resources = append(a.rest.Resources, v1.Resource{Path: r.path, Place: r.place})
			last++
		}
		a.rest.Resources[last].Methods = append(a.rest.Resources[last].Methods, r.v1())
	}
}

func (d *decoder) readRoute(a *api, key, n *doctree.Node) (route, bool) {
	r := route{key: key.Value, place: d.at(key)}
	ok := d.routeKey(&r, a, key)
	var public, apiKey *bool
	backend := n
	if n != nil && n.Kind == doctree.Mapping {
		most := 29 * time.Second
		if a.kind == "http" {
			most = 30 * time.Second
		}
		backend = nil
		d.mapping("a route", n, []field{
			{"backend", keep(&backend)},
			{"api_key", optional(&apiKey)},
			{"public", optional(&public)},
			{"timeout", duration(&r.timeout, 50*time.Millisecond, most)},
		})
		if !d.require(n, "backend", "write the URL that the route is proxied to") {
			return r, false
		}
	}
	if isTrue(public) && isTrue(apiKey) {
		d.fail(codeConflictingKeys, n.Key("public"), "keep one of the two", "a route cannot be public and ask for an API key")
	}
	r.access, r.apiKey = a.accessOf(public, apiKey)
	if !ok {
		// The variables are not known, so nothing can be said about the URL.
		return r, false
	}
	r.url = d.backend("backend", backend, &r)
	return r, r.url.Value != ""
}

func isTrue(b *bool) bool { return b != nil && *b }

// accessOf decides who may call a route: what the route says, else what the API says, else nothing.
func (a *api) accessOf(public, apiKey *bool) (access v1.Access, needsKey bool) {
	isOpen := isTrue(public) || public == nil && a.public && !isTrue(apiKey)
	needsKey = isTrue(apiKey) || apiKey == nil && a.apiKey && !isTrue(public)
	switch {
	case needsKey:
		return v1.AccessGuarded, true
	case isOpen:
		return v1.AccessOpen, false
	default:
		return v1.AccessUnstated, false
	}
}

// methods are the ones that API Gateway has.
func methods() []string {
	return []string{"GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", pathtree.Any}
}

// routeKey takes "GET /pets/{id}" apart.
func (d *decoder) routeKey(r *route, a *api, key *doctree.Node) bool {
	if key.Value == "$default" && a.kind == "http" {
		r.method, r.path = pathtree.Any, ""
		return true
	}
	var ok bool
	r.method, r.path, ok = strings.Cut(key.Value, " ")
	switch {
	case !ok:
		d.fail(codeBadRoute, key, `write it like "GET /pets/{id}"`, "the route %s is not a method and a path", quote(key.Value))
		return false
	case !slices.Contains(methods(), r.method):
		d.fail(codeBadRoute, key, didYouMean(r.method, methods()), "the route %s has a method that API Gateway does not have", quote(key.Value))
		return false
	}
	segments, err := pathtree.Split(r.path)
	if err != nil {
		d.fail(codeBadRoute, key, "", "the route %s cannot be: %v", quote(key.Value), err)
		return false
	}
	if r.path != "/" && strings.HasSuffix(r.path, "/") {
		d.fail(codeBadRoute, key, "", "the path of %s ends with a slash", quote(key.Value))
		return false
	}
	for _, s := range segments {
		if !d.segment(r, key, s) {
			return false
		}
	}
	return true
}

func (d *decoder) segment(r *route, key *doctree.Node, s pathtree.Segment) bool {
	switch {
	case s.Kind == pathtree.Static:
		if !consistsOf(s.Name, "._:,-~$@", 1024) {
			d.fail(codeBadRoute, key, "", "the segment %s has characters that a path cannot have", quote(s.Name))
			return false
		}
		return true
	case !isAWSName(s.Name):
		d.fail(codeBadRoute, key, "use letters, digits, points, hyphens and underscores", "the variable {%s} has no valid name", shorten(s.Name))
	case slices.Contains(r.variables, s.Name):
		d.fail(codeBadRoute, key, "give the second one another name", "the variable {%s} stands twice in the path", shorten(s.Name))
	default:
		r.variables = append(r.variables, s.Name)
		return true
	}
	return false
}

// backend reads a URL to proxy to, which may hold the variables of a route's path. Messages do not repeat it, since a
// reference may have brought in a part of it.
func (d *decoder) backend(key string, n *doctree.Node, r *route) v1.Text {
	s, ok := d.scalar(key, n, "a URL such as http://127.0.0.1:9000/pets")
	if !ok {
		return v1.Text{}
	}
	shape, used, problem := urlShape(s)
	if problem == "" && !strings.HasPrefix(s, "${"+stageVariables) {
		problem = urlProblem(shape)
	}
	if problem != "" {
		d.fail(codeBadURL, n, "write it like http://127.0.0.1:9000/pets", "the backend %s", problem)
		return v1.Text{}
	}
	for _, v := range used {
		switch {
		case r == nil:
			d.fail(codeUnknownVariable, n, "end the URL before the operation's path: it is added", "the backend of a document holds %s", variableIn(n, v))
			return v1.Text{}
		case !slices.Contains(r.variables, v):
			d.fail(codeUnknownVariable, n, didYouMean(v, r.variables), "the URL holds %s, which the path does not have", variableIn(n, v))
			return v1.Text{}
		}
	}
	if r != nil {
		r.used = used
	}
	return v1.Text{Value: s, Place: d.at(n)}
}

// variableIn names a variable, unless a reference brought it in: then it may be a part of a secret.
func variableIn(n *doctree.Node, name string) string {
	if text := "{" + name + "}"; strings.Contains(n.Value, text) {
		return shorten(text)
	}
	return "a variable"
}

// urlShape gives a URL with 1 in place of stage variables, and the path variables in it.
func urlShape(s string) (shape string, used []string, problem string) {
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			return b.String(), used, ""
		}
		name, rest, ok := strings.Cut(s[i+1:], "}")
		if s[i] == '}' || !ok || strings.Contains(name, "{") {
			return "", nil, "has braces that do not fit together"
		}
		before, isStage := strings.CutSuffix(s[:i], "$")
		b.WriteString(before)
		switch {
		case isStage && strings.HasPrefix(name, stageVariables):
			b.WriteString("1")
		case strings.HasSuffix(name, "+"):
			return "", nil, "has a + in a variable: it takes the name alone, as in {proxy}"
		default:
			b.WriteString(s[i:i+1] + name + "}")
			if !slices.Contains(used, name) {
				used = append(used, name)
			}
		}
		s = rest
	}
}

func urlProblem(shape string) string {
	u, err := url.Parse(shape)
	switch {
	case err != nil || strings.ContainsAny(shape, " \t\r\n"):
		return "is not a valid URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "does not begin with http:// or https://"
	case u.Hostname() == "":
		return "has no host"
	case u.User != nil:
		return "has a user name in it, which is not sent"
	case strings.Contains(shape, "#"):
		return "has a fragment (#…), which is never sent"
	case u.Port() != "" && !isPort(u.Port()):
		return "has a port that is none"
	}
	return ""
}

func (r route) v1() v1.Method {
	m := v1.Method{
		HTTPMethod: r.method, AuthorizationType: "NONE", APIKeyRequired: r.apiKey, Access: r.access, Place: r.place,
		Integration: &v1.Integration{
			Type: "HTTP_PROXY", HTTPMethod: r.method, URI: r.url, TimeoutInMillis: int(r.timeout.Milliseconds()), Place: r.place,
		},
	}
	if len(r.variables) > 0 {
		m.RequestParameters = make(map[string]bool, len(r.variables))
	}
	for _, v := range r.variables {
		m.RequestParameters["method.request.path."+v] = true
	}
	if len(r.used) > 0 {
		m.Integration.RequestParameters = make(map[string]v1.Text, len(r.used))
	}
	for _, v := range r.used {
		m.Integration.RequestParameters["integration.request.path."+v] = v1.Text{Value: "method.request.path." + v, Place: r.place}
	}
	return m
}

func (r route) v2() v2.Route {
	return v2.Route{
		RouteKey: r.key, AuthorizationType: "NONE", APIKeyRequired: r.apiKey, Access: r.access, Place: r.place,
		Integration: &v2.Integration{
			Type: "HTTP_PROXY", Method: r.method, URI: r.url, PayloadFormatVersion: "1.0",
			TimeoutInMillis: int(r.timeout.Milliseconds()), Place: r.place,
		},
	}
}
