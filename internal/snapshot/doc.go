// Package snapshot is the waist between the planes: the immutable compiled form of everything that is served.
//
// Package compile makes a Snapshot from definitions, package dataplane serves it. A snapshot is never changed after it
// was made and may be read by any number of goroutines. It holds no text that a request would have to parse: paths,
// mappings, patterns, durations and templates are compiled. State that outlives a snapshot (token buckets, quotas,
// connections) is not here but in registries, keyed by the ids that a snapshot gives.
package snapshot
