// Package httpproxy calls the backend of HTTP_PROXY and HTTP integrations.
//
// It stands between transform's two steps: it sends x.Backend.Request as it was made and leaves the answer in
// x.Backend.Response. Connections, retries and deadlines are package upstream's; here a failure of a call becomes the
// fault that a client may learn of. It must not look at headers or bodies.
package httpproxy

import (
	"errors"
	"sync"
	"time"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/upstream"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// Caller is the group of servers that a call goes to, such as an *upstream.Upstream. Call returns nil or an error that
// upstream.KindOf knows, and may be called by many goroutines at once.
type Caller interface {
	Call(c *upstream.Call) error
}

// Config is what the integration needs of others.
type Config struct {
	// Upstream gives the caller for a compiled upstream. It is asked once for each route, when its plan is built.
	Upstream func(u *snapshot.Upstream) Caller
	// Now is the clock, read twice for each call; nil means time.Now.
	Now func() time.Time
}

// Proxy makes the steps. Its steps share the room for calls.
type Proxy struct {
	upstream func(u *snapshot.Upstream) Caller
	now      func() time.Time
	calls    sync.Pool
}

// New makes a Proxy.
func New(c Config) *Proxy {
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default clock
	}
	p := &Proxy{upstream: c.Upstream, now: c.Now}
	p.calls.New = func() any { return new(upstream.Call) }
	return p
}

// Step calls one route's backend. It serves many requests at once.
type Step struct {
	proxy   *Proxy
	caller  Caller
	timeout time.Duration
}

// For makes the step for a route; nil when its integration calls no HTTP backend.
func (p *Proxy) For(r *snapshot.Route) *Step {
	in := r.Integration
	if in == nil || in.Kind != snapshot.HTTPProxy && in.Kind != snapshot.HTTPCustom {
		return nil
	}
	return &Step{proxy: p, caller: p.upstream(in.Upstream), timeout: in.Timeout}
}

// Do calls the backend within the integration's timeout, counted from now; a timeout of 0 means none. It sets Called,
// Status, Latency and Err of x.Backend. On a fault x.Backend.Response is empty.
func (s *Step) Do(x *exchange.Exchange) error {
	b := &x.Backend
	b.Called = true
	b.Response.Header.DisableNormalizing()
	c := s.proxy.calls.Get().(*upstream.Call) //nolint:forcetypeassert // only calls are put there
	start := s.proxy.now()
	c.Request, c.Response, c.Client = &b.Request, &b.Response, x.Conn
	c.Now, c.Deadline, c.Body = start, time.Time{}, b.Buffer
	if s.timeout > 0 {
		c.Deadline = start.Add(s.timeout)
	}
	err := s.caller.Call(c)
	b.Latency = s.proxy.now().Sub(start)
	if err == nil {
		b.Status = b.Response.StatusCode()
	} else {
		err = failed(b, err)
	}
	b.Buffer = c.Body
	c.Request, c.Response, c.Client, c.Body = nil, nil, nil, nil
	s.proxy.calls.Put(c)
	return err
}

// The faults of a call. What failed in detail is x.Backend.Err.
var (
	errBackend   = &fault.Error{Kind: fault.IntegrationFailure, Reason: "the call of the backend failed"}
	errTimeout   = &fault.Error{Kind: fault.IntegrationTimeout, Reason: "the backend took longer than the integration's timeout"}
	errAbandoned = &fault.Error{Kind: fault.IntegrationFailure, Reason: "the client went away before the backend answered"}
	errBody      = &fault.Error{Kind: fault.Malformed, Reason: "the client's body could not be read to its end"}
	errRequest   = &fault.Error{Kind: fault.APIConfigurationError, Reason: "the request for the backend cannot be written"}
)

// failed keeps the failure for the log and gives the fault for it. The answer may be half read: it is thrown away.
func failed(b *exchange.Backend, err error) error {
	b.Response.Reset()
	kind := upstream.KindOf(err)
	b.Err = err
	if f, ok := errors.AsType[*upstream.Failure](err); ok {
		kept := *f // the original belongs to the call, which is used again
		b.Err = &kept
	}
	switch kind {
	case upstream.Timeout:
		return errTimeout
	case upstream.Abandoned:
		return errAbandoned
	case upstream.Unsendable:
		return errRequest
	case upstream.ClientBody:
		if own, ok := errors.AsType[*fault.Error](err); ok {
			return own // such as a body over the payload limit
		}
		return errBody
	default: // refused, TLS, reset, malformed, exhausted
		return errBackend
	}
}
