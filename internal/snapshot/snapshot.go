package snapshot

import (
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/lib/pathtree"
)

// Snapshot is everything that is served at one moment.
type Snapshot struct {
	// Routes are all routes of all stages.
	Routes []*Route
	// Shapes is the number of different Route.Shape.
	Shapes int
	// APIs is keyed by id, for AWS's own address forms.
	APIs map[string]*API
	// Hosts finds an API by the request's host and base path.
	Hosts Hosts
	// Keys are the enabled API keys.
	Keys *Keys
	// Upstreams is keyed by Upstream.ID.
	Upstreams map[string]*Upstream
	// Made is when the snapshot was compiled.
	Made time.Time
}

// Kind is the family of an API.
type Kind uint8

// The families.
const (
	REST Kind = iota
	HTTP
)

// String gives the word that gatehouse.yaml uses.
func (k Kind) String() string {
	if k == HTTP {
		return "http"
	}
	return "rest"
}

// Hosts holds the mappings by host: exact names first, then the longest wildcard, then Any.
type Hosts struct {
	// Exact is keyed by lower-case host without port.
	Exact map[string][]Mapping
	// Wildcard is keyed by the part after "*", such as ".example.com".
	Wildcard map[string][]Mapping
	// Any serves every other host; nil when there is none.
	Any []Mapping
}

// Mapping carries a base path to an API. Mappings of one host are sorted by the longest BasePath first.
type Mapping struct {
	// BasePath has no slash at its end: "" for the whole host, "/shop" else.
	BasePath string
	API      *API
	// Stage nil means that the next path segment names it.
	Stage *Stage
}

// API is one API with its stages.
type API struct {
	ID     string
	Name   string
	Kind   Kind
	Stages map[string]*Stage
	// DefaultEndpointDisabled closes AWS's own address forms.
	DefaultEndpointDisabled bool
}

// Stage is one stage of an API, with its routes compiled for its stage variables.
type Stage struct {
	// ID is "api/stage".
	ID   string
	Name string
	API  *API
	// Routes finds a route by path. REST APIs: the leaf's methods; HTTP APIs: matching goes on over methods.
	Routes *pathtree.Tree[*Route]
	// Default is the "$default" route of an HTTP API, nil for none.
	Default *Route
	// Refusals is how each kind of refusal is answered, indexed by fault.Kind.
	Refusals [fault.All]*Refusal
	// AccessLog is the stage's own format; nil means the config's.
	AccessLog *LogFormat
	// Plans are the usage plans that cover the stage, for explain.
	Plans []*Plan
	// AllRoutes in the order of the definition, for explain, metrics and tests.
	AllRoutes []*Route
}

// Route is one method of one path, all that a plan is built from. The fields that every request reads stand first, in one
// cache line: with thousands of routes each line is fetched from memory.
type Route struct {
	// Index is the route's place in Snapshot.Routes.
	Index int
	// Shape is below Snapshot.Shapes. Routes with the same one can share a plan: they differ in their texts only.
	Shape int
	Stage *Stage
	// Key is "GET /pets/{id}" or "$default", unique in its stage.
	Key string
	// Target is the path for the backend when it is the same for all requests and the URI has no query; else "", and
	// Integration has the parts. It stands behind Key in memory.
	Target      string
	Integration *Integration

	// ID is "api/stage/key" and outlives snapshots.
	ID string
	// Method is in upper case; "ANY" matches all.
	Method string
	// Path is the resource path as defined, such as "/pets/{id}"; ResourceID is stable and made from it.
	Path       string
	ResourceID string
	// Params names the path variables in the order in which they stand in Path.
	Params []string
	// APIKeyRequired: a key with a plan for this stage is needed.
	APIKeyRequired bool
	OperationName  string
	// Limits are the token buckets of every request, in order: the route's own or its stage's, else the account's.
	Limits []Limit
	// NotServed is the code of the diagnostic that says why this route is answered with 501; "" for served ones.
	NotServed string
}

// Limit is a token bucket's id and size. Requests a second and number of tokens.
type Limit struct {
	ID    string
	Rate  float64
	Burst int
}
