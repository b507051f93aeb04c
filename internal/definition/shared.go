package definition

import "time"

// Throttle is a token bucket: Rate tokens a second, Burst tokens at most. A negative value means "not set".
type Throttle struct {
	Rate  float64
	Burst int
	Place Place
}

// Period is the calendar span of a quota, in UTC.
type Period string

// The periods AWS has.
const (
	Day   Period = "DAY"
	Week  Period = "WEEK"
	Month Period = "MONTH"
)

// Quota is how many requests a key may make in a period. Offset is taken off the limit in the first period.
type Quota struct {
	Limit  int64
	Offset int64
	Period Period
	Place  Place
}

// UsagePlan says which keys may call which stages, and how often.
type UsagePlan struct {
	ID     string
	Name   string
	Stages []PlanStage
	// Throttle and Quota hold for each key by itself, over all stages of the plan; nil means none.
	Throttle *Throttle
	Quota    *Quota
	Place    Place
}

// PlanStage is one stage of a usage plan. Methods holds the plan's own limits for single methods, keyed "/path/METHOD".
type PlanStage struct {
	API     string
	Stage   string
	Methods map[string]Throttle
	Place   Place
}

// APIKey is one customer's key. Value is a secret: 20 to 128 characters, never printed or logged.
type APIKey struct {
	ID      string
	Name    string
	Value   string
	Enabled bool
	Plans   []string
	Place   Place
}

// Mapping carries requests for one host and base path to a stage. Host may be "*" (any) or "*.example.com";
// BasePath starts with "/". An empty Stage means that the first path segment after BasePath names it.
type Mapping struct {
	Host     string
	BasePath string
	API      string
	Stage    string
	Place    Place
}

// Upstream is the group of servers behind the host of an integration's URI. Host is as it stands in the URI: "name" or
// "name:port".
type Upstream struct {
	Host    string
	Servers []Server
	// InsecureSkipVerification turns off the check of the servers' certificates.
	InsecureSkipVerification bool
	// CAFile is a PEM file of the authorities to trust instead of the machine's.
	CAFile string
	// CA is the text of CAFile, read when the config was loaded; empty for the machine's.
	CA []byte
	// MaxConnections bounds the open connections to each server; 0 is the default.
	MaxConnections int
	// IdleTimeout closes connections that were not used for so long; 0 is the default.
	IdleTimeout time.Duration
	Place       Place
}

// Server is one address of an upstream. TLS nil means "as the integration's URI says".
type Server struct {
	Addr string
	TLS  *bool
}
