// Package metrics keeps the numbers that Gatehouse exports to Prometheus.
//
// Step record counts every exchange here, in a Cell that it found once for its route; everything else (listener, limits,
// upstreams, access log, snapshot) is read when a scrape comes, through functions that the wiring hands in. So no package
// has to know this one but record, and this one knows no other package of Gatehouse. It has its own registry and touches
// no global one. It must not sit on the way of a request with anything but atomic additions.
//
// The exported names are the user's interface: docs/reference/metrics.md lists them and a test holds it to that.
package metrics
