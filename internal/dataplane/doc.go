// Package dataplane carries requests from a listener to a backend and back.
//
// The way of a request stands in plan.go. A snapshot says what is served; for each of its routes a Plan is built once,
// holding only the steps that the route needs. Swapping in a new snapshot is one atomic store: requests under way finish
// on the plan they began with. What outlives snapshots (connections, token buckets, quotas, metrics) is in registries
// that the steps were given.
//
// The data plane never waits for the store, parses no definition, and knows nothing of the control plane.
package dataplane
