package snapshot

import (
	"regexp"
	"time"
)

// IntegrationKind says which package calls the backend.
type IntegrationKind uint8

// The kinds that are served.
const (
	HTTPProxy IntegrationKind = iota
	HTTPCustom
	Mock
)

// String gives AWS's type.
func (k IntegrationKind) String() string { return [...]string{"HTTP_PROXY", "HTTP", "MOCK"}[k] }

// Integration is a compiled integration.
type Integration struct {
	Kind IntegrationKind
	// Method for the backend; "" or "ANY" sends the client's.
	Method string
	// URI is what the user wrote, with stage variables filled in; for people only.
	URI      string
	Upstream *Upstream
	// Host is the Host header for the backend.
	Host string
	// Path is the path of the backend's URL; path variables are put in percent-encoded as they came.
	Path Text
	// Query is the query of the URI itself, without "?"; the client's query follows it.
	Query   Text
	Timeout time.Duration
	// Headers, Queries and (in Path) path mappings set what the backend gets beside what passes.
	Headers []Assign
	Queries []Assign
	// QueryPasses: the client's query goes on unchanged (proxy kinds).
	QueryPasses bool
	// Responses of HTTPCustom and Mock in the order of the definition, the default one last.
	Responses []IntegrationResponse
	// MockStatus is the status code that the mock's template renders, as text: matched against the patterns.
	MockStatus string
	// RequestTypes are the media types of a mock's templates; PassWhenNoMatch and so on decide for others.
	RequestTypes []string
	// Unmatched says what happens to a body whose media type has no template.
	Unmatched Passthrough
}

// Passthrough says what happens to a request body whose media type has no template.
type Passthrough uint8

// AWS's three behaviours.
const (
	WhenNoMatch Passthrough = iota
	WhenNoTemplates
	Never
)

// Assign sets one header or query parameter.
type Assign struct {
	Name  string
	Value Text
	// Multi: Value is one reference with several values; each is added by itself.
	Multi bool
}

// IntegrationResponse maps a backend's answer to the client's.
type IntegrationResponse struct {
	// Pattern must match the whole of the backend's status; nil is the default response.
	Pattern *regexp.Regexp
	Status  int
	Headers []Assign
	// Bodies are the constant templates by media type, the first one being used when nothing else fits; none: the
	// backend's body passes.
	Bodies []Body
}

// Body is a constant body of one media type.
type Body struct {
	MediaType string
	Text      string
}

// Upstream is the group of servers behind one host of an integration's URI.
type Upstream struct {
	// ID is "scheme://host:port" as in the URI, plus a mark of the TLS settings; connections outlive snapshots by it.
	ID      string
	Host    string
	Servers []Server
	// ServerName is sent and checked in TLS.
	ServerName               string
	InsecureSkipVerification bool
	// CA is PEM text of the authorities to trust; empty for the machine's.
	CA             []byte
	MaxConnections int
	IdleTimeout    time.Duration
}

// Server is one address, "host:port".
type Server struct {
	Addr string
	TLS  bool
}

// Refusal is how one kind of refusal is answered on one stage.
type Refusal struct {
	// Status 0 keeps the kind's own.
	Status int
	// Headers set from gateway response parameters.
	Headers []Assign
	// Bodies by media type, in the user's order, application/json first; empty for the built-in body.
	Bodies []RefusalBody
}

// RefusalBody is a gateway response's template for one media type.
type RefusalBody struct {
	MediaType string
	Text      Text
}

// LogFormat is a compiled access log line, without the line break.
type LogFormat struct {
	Text Text
	// JSON: values are escaped for a JSON string; else only line breaks and control characters are.
	JSON bool
}
