// Package match finds the stage and the route of a request: host, base path, stage, path and method.
//
// It is the first step on the way, since the route's plan says what follows. It reads the path as it came on the wire,
// percent-encoding and all, and changes nothing of the request. A request that leads nowhere is refused as its family
// of APIs refuses it.
package match

import (
	"bytes"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/lib/pathtree"
	"gatehouse/internal/lib/percent"
	"gatehouse/internal/snapshot"
)

// Matcher finds routes in one snapshot. It is safe for concurrent use.
type Matcher struct {
	apis  map[string]*snapshot.API
	hosts *snapshot.Hosts
}

// New makes a matcher for a snapshot.
func New(s *snapshot.Snapshot) *Matcher { return &Matcher{apis: s.APIs, hosts: &s.Hosts} }

// The refusals of this step.
var (
	errNoMapping   = &fault.Error{Kind: fault.NoMapping, Reason: "the host and base path lead to no API"}
	errNoStage     = &fault.Error{Kind: fault.NoMapping, Reason: "the API has no such stage"}
	errNoStageHTTP = &fault.Error{Kind: fault.ResourceNotFound, Reason: "the API has no such stage and no $default one"}
	errDisabled    = &fault.Error{Kind: fault.NoMapping, Reason: "the API's own address is turned off"}
	errNoRoute     = &fault.Error{Kind: fault.MissingAuthenticationToken, Reason: "no resource and method match"}
	errNoRouteHTTP = &fault.Error{Kind: fault.ResourceNotFound, Reason: "no route matches"}
	errDots        = &fault.Error{Kind: fault.Malformed, Reason: "the path has a . or .. segment"}
	errTarget      = &fault.Error{Kind: fault.Malformed, Reason: "the request target is no path"}
)

// Do sets Stage, Route, Path, Captures, BasePath and Method, or returns a fault; what was found before that stays set.
func (m *Matcher) Do(x *exchange.Exchange) error {
	x.Method = x.Request.Header.Method()
	host, path, ok := target(x.Request.Header.Host(), x.Request.Header.RequestURI())
	if !ok {
		return errTarget
	}
	if percent.HasDots(path) { // a backend would resolve them, and leave the route's path
		return errDots
	}
	rest, err := m.stage(x, host, path)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		rest = root
	}
	x.Path = rest
	if x.Stage.API.Kind == snapshot.HTTP {
		return httpRoute(x)
	}
	takeWishes(x)
	route, found := x.Stage.Routes.Lookup(x.Method, rest, &x.Captures)
	if found != pathtree.Match {
		return errNoRoute
	}
	x.Route = route
	return nil
}

var root = []byte{'/'}

func httpRoute(x *exchange.Exchange) error {
	route, found := x.Stage.Routes.Lookup(x.Method, x.Path, &x.Captures)
	if found == pathtree.Match {
		x.Route = route
		return nil
	}
	x.Captures.N = 0
	if x.Stage.Default == nil {
		return errNoRouteHTTP
	}
	x.Route = x.Stage.Default
	return nil
}

// target takes the request target apart into host and path. An absolute target has a host of its own, which must be that
// of the Host header: two of them could be read in two ways.
func target(host, uri []byte) (h, path []byte, ok bool) {
	if i := bytes.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	if len(uri) > 0 && uri[0] == '/' {
		return host, uri, true
	}
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(uri) > len(scheme) && bytes.EqualFold(uri[:len(scheme)], []byte(scheme)) {
			rest := uri[len(scheme):]
			authority, path := rest, root
			if i := bytes.IndexByte(rest, '/'); i >= 0 {
				authority, path = rest[:i], rest[i:]
			}
			return host, path, bytes.EqualFold(authority, host)
		}
	}
	return nil, nil, false
}

var (
	overrideName  = []byte("X-HTTP-Method-Override")
	requestIDName = []byte("x-amzn-RequestId")
)

// takeWishes lets a client change the method by X-HTTP-Method-Override and choose the request's id by x-amzn-RequestId.
// AWS: REST APIs only, and only an id that is a UUID.
func takeWishes(x *exchange.Exchange) {
	for k, v := range x.Request.Header.All() {
		switch len(k) {
		case len(overrideName):
			if bytes.EqualFold(k, overrideName) {
				override(x, v)
			}
		case len(requestIDName):
			if bytes.EqualFold(k, requestIDName) {
				x.SetID(v)
			}
		}
	}
}

func override(x *exchange.Exchange, method []byte) {
	for _, m := range methods {
		if bytes.EqualFold(method, m) {
			x.Method = m
			return
		}
	}
}

var methods = [...][]byte{
	[]byte("GET"), []byte("PUT"), []byte("POST"), []byte("DELETE"), []byte("PATCH"), []byte("OPTIONS"), []byte("HEAD"),
}
