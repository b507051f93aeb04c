// Package apikey lets a request pass that brings an API key with a usage plan for the route's stage.
//
// It stands after authorize and before throttle, for which it leaves the key and what its plan allows in the exchange. It
// knows keys by their digest only and counts nothing. All its refusals look the same to a client; only the log tells them
// apart, and no log ever sees a key's value.
package apikey

import (
	"bytes"
	"crypto/sha256"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// AWS's bounds of a key's value in bytes. They are looked at before anything is computed.
const (
	minLength = 20
	maxLength = 128
)

// The refusals.
var (
	errMissing = fault.New(fault.InvalidAPIKey, "no API key: the header x-api-key is missing")
	errSeveral = fault.New(fault.InvalidAPIKey, "several different API keys in x-api-key headers")
	errLength  = fault.New(fault.InvalidAPIKey, "the API key does not have 20 to 128 bytes")
	errUnknown = fault.New(fault.InvalidAPIKey, "the API key is unknown or disabled")
	errNoPlan  = fault.New(fault.InvalidAPIKey, "the API key has no usage plan for this stage")
)

// Step is the step of a stage's routes. It serves many requests at once.
type Step struct {
	keys  *snapshot.Keys
	stage *snapshot.Stage
}

// For makes the step of a route, which is that of all routes of its stage that need a key; nil when the route needs none.
func For(r *snapshot.Route, keys *snapshot.Keys) *Step {
	if !r.APIKeyRequired {
		return nil
	}
	return &Step{keys: keys, stage: r.Stage}
}

// Do sets the exchange's Key and Use, or refuses. It does not allocate.
func (s *Step) Do(x *exchange.Exchange) error {
	value, err := presented(x)
	if err != nil {
		return err
	}
	digest := snapshot.Digest(sha256.Sum256(value))
	key := s.keys.Find(&digest)
	if key == nil {
		return errUnknown
	}
	use := key.Plans[s.stage]
	if use == nil {
		return errNoPlan
	}
	x.Key, x.Use = key, use
	return nil
}

// presented gives the value of the request's one x-api-key header.
// AWS: which of two different values counts is not documented. Both are refused here: what stands before the gateway may
// have looked at the other one. The same value twice is one value.
func presented(x *exchange.Exchange) ([]byte, error) {
	var value []byte
	found := false
	for name, v := range x.Request.Header.All() {
		if !isName(name) {
			continue
		}
		if found && !bytes.Equal(v, value) {
			return nil, errSeveral
		}
		value, found = v, true
	}
	switch {
	case len(value) == 0:
		return nil, errMissing
	case len(value) < minLength || len(value) > maxLength:
		return nil, errLength
	}
	return value, nil
}

// isName reports whether b is "x-api-key" in any case of its letters.
func isName(b []byte) bool {
	const name = "x-api-key"
	if len(b) != len(name) {
		return false
	}
	for i := range b {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != name[i] {
			return false
		}
	}
	return true
}
