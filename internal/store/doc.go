// Package store keeps documents: definitions, and counters that must outlive the process.
//
// It stands under the control plane and owns the contract only; the packages below it keep the documents in SQLite and
// elsewhere, and all of them pass storetest. A document is bytes by kind and key, and its meaning belongs to whoever put
// it there. No request waits for a store: the data plane meets it off the request path alone.
package store
