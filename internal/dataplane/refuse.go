package dataplane

import (
	"fmt"
	"runtime/debug"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// notServed answers 501 to a route that needs something Gatehouse does not serve yet.
type notServed struct{ refusal *fault.Error }

func refuseNotServed(r *snapshot.Route) *notServed {
	if r.NotServed == "" {
		return nil
	}
	return &notServed{&fault.Error{
		Kind: fault.NotServed, Message: "Not Implemented: " + r.NotServed, Reason: "the definition needs " + r.NotServed,
	}}
}

// Do refuses.
func (s *notServed) Do(*exchange.Exchange) error { return s.refusal }

// unroutable stands where a route has no integration that could be called.
type unroutable struct{}

var errUnroutable = fault.New(fault.APIConfigurationError, "the route has no integration")

// Do refuses.
func (unroutable) Do(*exchange.Exchange) error { return errUnroutable }

// recovered turns a panic of a step into a refusal with its stack in the log: one request fails, not the gateway.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fault.New(fault.APIConfigurationError, fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
	}
}
