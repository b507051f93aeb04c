// Package throttle refuses requests over rate, burst or quota.
//
// It stands after apikey and before validate, so that the body of a refused request is never read. Its Ledger holds what
// must outlive a snapshot: token buckets and quota counters by the ids that snapshots give. Requests touch the ledger's
// memory only; quota counters reach their keeper in the background. It writes no answer: a refusal is a ready fault, which
// respond renders.
package throttle
