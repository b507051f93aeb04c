package match_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/match"
	"gatehouse/internal/fault"
	"gatehouse/internal/lib/pathtree"
	"gatehouse/internal/snapshot"
)

// stage makes a stage with routes for keys such as "GET /pets".
func stage(t testing.TB, api *snapshot.API, name string, keys ...string) *snapshot.Stage {
	t.Helper()
	s := &snapshot.Stage{ID: api.ID + "/" + name, Name: name, API: api}
	s.Routes = pathtree.New[*snapshot.Route](pathtree.Options{
		IgnoreTrailingSlash: api.Kind == snapshot.REST, MethodFirst: api.Kind == snapshot.HTTP,
	})
	for _, k := range keys {
		r := &snapshot.Route{Key: k, Stage: s}
		if k == "$default" {
			s.Default = r
			continue
		}
		var method, path string
		for i := range k {
			if k[i] == ' ' {
				method, path = k[:i], k[i+1:]
			}
		}
		if err := s.Routes.Add(method, path, r); err != nil {
			t.Fatal(err)
		}
	}
	api.Stages[name] = s
	return s
}

func fixture(t testing.TB) *snapshot.Snapshot {
	rest := &snapshot.API{ID: "shop", Kind: snapshot.REST, Stages: map[string]*snapshot.Stage{}}
	v1 := stage(t, rest, "v1", "GET /", "GET /pets", "DELETE /pets", "GET /pets/{id}", "ANY /files/{f+}")
	stage(t, rest, "v2", "GET /new")
	web := &snapshot.API{ID: "web", Kind: snapshot.HTTP, Stages: map[string]*snapshot.Stage{}}
	stage(t, web, "$default", "GET /", "$default")
	stage(t, web, "beta", "GET /b")
	closed := &snapshot.API{ID: "closed", Kind: snapshot.REST, Stages: map[string]*snapshot.Stage{}, DefaultEndpointDisabled: true}
	stage(t, closed, "v1", "GET /")
	return &snapshot.Snapshot{
		APIs: map[string]*snapshot.API{"shop": rest, "web": web, "closed": closed},
		Hosts: snapshot.Hosts{
			Exact: map[string][]snapshot.Mapping{
				"api.example.com": {{BasePath: "/shop/old", API: rest, Stage: v1}, {BasePath: "/shop", API: rest}},
			},
			Wildcard: map[string][]snapshot.Mapping{".example.org": {{API: web}}},
			Any:      []snapshot.Mapping{{BasePath: "/v1", API: rest, Stage: v1}},
		},
	}
}

func TestMatch(t *testing.T) {
	m := match.New(fixture(t))
	for _, tc := range []struct {
		name, method, host, target string
		want                       string // route's key
		kind                       fault.Kind
		path                       string
	}{
		{"exact host, longest base path", "GET", "api.example.com", "/shop/old/pets?x=1", "GET /pets", 0, "/pets"},
		{"host with port, case and final dot", "GET", "API.Example.COM.:8080", "/shop/old", "GET /", 0, "/"},
		{"stage from the path", "GET", "api.example.com", "/shop/v2/new", "GET /new", 0, "/new"},
		{"unknown stage of a REST API", "GET", "api.example.com", "/shop/v9/new", "", fault.NoMapping, ""},
		{"base path ends at a segment", "GET", "api.example.com", "/shopping", "", fault.NoMapping, ""},
		{"exact host without a mapping for the path", "GET", "api.example.com", "/v1/pets", "", fault.NoMapping, ""},
		{"any host", "GET", "other", "/v1/pets/7", "GET /pets/{id}", 0, "/pets/7"},
		{"no host at all", "GET", "", "/v1/pets", "GET /pets", 0, "/pets"},
		{"no mapping", "GET", "other", "/x", "", fault.NoMapping, ""},
		{"REST: unknown path", "GET", "other", "/v1/none", "", fault.MissingAuthenticationToken, "/none"},
		{"REST: unknown method", "PUT", "other", "/v1/pets", "", fault.MissingAuthenticationToken, "/pets"},
		{"wildcard host, $default stage and route", "PUT", "a.b.example.org", "/any/thing", "$default", 0, "/any/thing"},
		{"wildcard host, stage by name", "GET", "a.example.org", "/beta/b", "GET /b", 0, "/b"},
		{"HTTP: no route", "GET", "a.example.org", "/beta/c", "", fault.ResourceNotFound, "/c"},
		{"the wildcard needs a label", "GET", "example.org", "/", "", fault.NoMapping, ""},
		{"AWS's host", "GET", "shop.execute-api.eu-west-1.example.net", "/v1/pets", "GET /pets", 0, "/pets"},
		{"AWS's path", "GET", "other", "/_aws/execute-api/shop/v1/pets", "GET /pets", 0, "/pets"},
		{"AWS's path, unknown API", "GET", "other", "/_aws/execute-api/none/v1/pets", "", fault.NoMapping, ""},
		{"AWS's path, turned off", "GET", "other", "/_aws/execute-api/closed/v1/", "", fault.NoMapping, ""},
		{"AWS's host, turned off", "GET", "closed.execute-api.x", "/v1/", "", fault.NoMapping, ""},
		{"absolute target", "GET", "api.example.com", "http://API.example.com/shop/old/pets", "GET /pets", 0, "/pets"},
		{"absolute target of another host", "GET", "other", "http://api.example.com/shop/old/pets", "", fault.Malformed, ""},
		{"target that is no path", "OPTIONS", "other", "*", "", fault.Malformed, ""},
		{"dot segments", "GET", "other", "/v1/files/../pets", "", fault.Malformed, ""},
		{"encoded dot segments", "GET", "other", "/v1/files/%2e%2E/pets", "", fault.Malformed, ""},
		{"mixed dot segments", "GET", "other", "/v1/files/.%2e/pets", "", fault.Malformed, ""},
		{"dots before an encoded slash", "GET", "other", "/v1/files/..%2fpets", "", fault.Malformed, ""},
		{"dots at the end", "GET", "other", "/v1/files/..", "", fault.Malformed, ""},
		{"dots with a path parameter", "GET", "other", "/v1/files/..;x/pets", "", fault.Malformed, ""},
		{"dots behind an encoded slash", "GET", "other", "/v1/files/a%2f../pets", "", fault.Malformed, ""},
		{"dots behind an encoded backslash", "GET", "other", "/v1/files/a%5C.", "", fault.Malformed, ""},
		{"dots in a name are fine", "GET", "other", "/v1/files/..a/.b/c..", "ANY /files/{f+}", 0, "/files/..a/.b/c.."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := request(tc.method, tc.host, tc.target)
			err := m.Do(x)
			got := ""
			if err == nil {
				got = x.Route.Key
			} else if k := fault.Of(err).Kind; k != tc.kind {
				t.Errorf("refused with %v (%v), want %v", k, err, tc.kind)
			}
			if got != tc.want {
				t.Errorf("route %q, want %q (%v)", got, tc.want, err)
			}
			if d := cmp.Diff(tc.path, string(x.Path)); d != "" {
				t.Error(d)
			}
		})
	}
}

func request(method, host, target string) *exchange.Exchange {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.Header.SetHost(host)
	req.Header.SetRequestURI(target)
	return &exchange.Exchange{Request: &req, Response: &fasthttp.Response{}}
}

func TestMethodOverride(t *testing.T) {
	m := match.New(fixture(t))
	for _, tc := range []struct{ name, host, target, override, want string }{
		{"REST", "other", "/v1/pets", "delete", "DELETE /pets"},
		{"unknown method stays", "other", "/v1/pets", "BREW", "GET /pets"},
		{"HTTP APIs know no override", "x.example.org", "/", "DELETE", "GET /"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := request("GET", tc.host, tc.target)
			x.Request.Header.Set("X-HTTP-Method-Override", tc.override)
			if err := m.Do(x); err != nil {
				t.Fatal(err)
			}
			if x.Route.Key != tc.want {
				t.Errorf("got %q, want %q", x.Route.Key, tc.want)
			}
		})
	}
}

func TestDoesNotAllocate(t *testing.T) {
	m := match.New(fixture(t))
	x := request("GET", "API.example.com:80", "/shop/old/pets/7?a=b")
	x.Request.Header.Set("Accept", "*/*")
	if n := testing.AllocsPerRun(100, func() { _ = m.Do(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMatch(f *testing.F) {
	s := fixture(f)
	m := match.New(s)
	f.Add("api.example.com", "/shop/old/pets/../x")
	f.Add("[::1]:80", "/_aws/execute-api/shop/v1/%2e%2e/")
	f.Add("shop.execute-api.x", "http://a/b?c#d")
	f.Fuzz(func(t *testing.T, host, target string) {
		x := request("GET", host, target)
		if err := m.Do(x); err == nil && x.Route == nil {
			t.Error("neither route nor refusal")
		}
		for i := range x.Captures.N {
			if c := x.Captures.C[i]; c.Start > c.End || c.End > len(x.Path) {
				t.Errorf("capture %v of %q", c, x.Path)
			}
		}
	})
}

func TestRequestIDOfTheClient(t *testing.T) {
	m := match.New(fixture(t))
	for _, tc := range []struct {
		name, host, target, id string
		taken                  bool
	}{
		{"a UUID", "other", "/v1/pets", "01234567-89ab-cdef-0123-456789abcdef", true},
		{"no UUID", "other", "/v1/pets", "01234567-89ab-cdef-0123-456789abcdeg", false},
		{"HTTP APIs take none", "x.example.org", "/", "01234567-89ab-cdef-0123-456789abcdef", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := request("GET", tc.host, tc.target)
			x.NewIDs()
			x.Request.Header.Set("x-amzn-RequestId", tc.id)
			if err := m.Do(x); err != nil {
				t.Fatal(err)
			}
			if got := string(x.ID()) == tc.id; got != tc.taken {
				t.Errorf("taken %v, want %v", got, tc.taken)
			}
		})
	}
}
