// Package management serves the management address: what watches and operates a gateway, apart from its clients.
//
// It answers /metrics, /healthz and /readyz on a listener of its own, with net/http, so that it works while the data plane
// is at its limit. It knows neither plane: what it reports comes through functions that the wiring hands in. It has no
// access control of its own, so it must not show secrets, and its address should be reachable by operators only.
package management
