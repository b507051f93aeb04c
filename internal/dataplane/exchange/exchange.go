package exchange

import (
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/fault"
	"gatehouse/internal/lib/pathtree"
	"gatehouse/internal/snapshot"
)

// Exchange is one request and its answer. It belongs to a connection: the answer may refer to its buffers until the next
// request begins. The zero value is ready for Reset.
type Exchange struct {
	// Request and Response are the client's side. Set by listen; header names keep their case.
	Request  *fasthttp.Request
	Response *fasthttp.Response
	// Conn is the client's connection, ClientIP its address, TLS nil without encryption. Set by listen.
	Conn     net.Conn
	ClientIP netip.Addr
	TLS      *tls.ConnectionState
	// Started is when the request's header had been read. Set by listen.
	Started time.Time

	// Stage is set by match as soon as it is known, also when no route is found. Route is nil then.
	Stage *snapshot.Stage
	Route *snapshot.Route
	// Path is the request's path below the stage, encoded as it came; Captures point into it. Set by match.
	Path     []byte
	Captures pathtree.Captures
	// BasePath is the mapping's base path. Set by match.
	BasePath string
	// Method is the request's after X-HTTP-Method-Override. Set by match.
	Method []byte

	// Key is the caller's API key, Use what its plan allows here. Set by apikey; nil without a key.
	Key *snapshot.Key
	Use *snapshot.PlanUse

	// Backend is the other side. Filled by transform and integrate.
	Backend Backend

	// Refusal is why the request was refused; nil when it was not. Set by respond.
	Refusal *fault.Error
	// RefusalMessage is the text that the client was told. Set by respond.
	RefusalMessage string
	// Latency is the whole time until the answer was ready to be written. Set by record.
	Latency time.Duration

	answered   bool
	id         [36]byte
	extendedID [16]byte
	body       []byte
	scratch    []byte
	second     second // of Started, kept from request to request
}

// Backend is the integration's side of an exchange.
type Backend struct {
	// Request is made by transform and sent by integrate.
	Request fasthttp.Request
	// Response is the backend's answer, from which transform makes the client's.
	Response fasthttp.Response
	// Buffer is room for a short body of the backend's; Response may refer to it.
	Buffer []byte
	// Called says that integrate was reached; Status is the backend's status, 0 when none came.
	Called bool
	Status int
	// Latency is the time from the call until the answer's header (and body, when it was buffered) was read.
	Latency time.Duration
	// Err is why the call failed, for the log; nil when it did not.
	Err error
}

// Answer says that a step has set the response, which ends the way in.
func (x *Exchange) Answer() { x.answered = true }

// Answered reports whether a step has set the response.
func (x *Exchange) Answered() bool { return x.answered }

// Reset makes x ready for a new request. The caller sets the fields of listen afterwards.
func (x *Exchange) Reset() {
	x.Request, x.Response, x.Conn, x.TLS = nil, nil, nil, nil
	x.Stage, x.Route, x.Path, x.Method = nil, nil, nil, nil
	x.BasePath = ""
	x.Captures.N = 0
	x.Key, x.Use = nil, nil
	x.Refusal, x.RefusalMessage = nil, ""
	x.Latency = 0
	x.answered = false
	x.body = nil
	b := &x.Backend
	if b.Called {
		b.Request.Reset()
		b.Response.Reset()
	}
	b.Called, b.Status, b.Latency, b.Err = false, 0, 0, nil
}

// keepBuffer is the largest buffer, in bytes, that an idle connection may hold.
const keepBuffer = 8 << 10

// Rest lets go of what was large, once the answer has been written: the connection may be idle for long. It costs next
// to nothing when nothing was.
func (x *Exchange) Rest() {
	b := &x.Backend
	if x.body == nil && cap(b.Buffer) <= keepBuffer && cap(x.scratch) <= keepBuffer {
		return
	}
	x.body = nil
	b.Request.Reset()
	b.Response.Reset()
	if cap(b.Buffer) > keepBuffer {
		b.Buffer = nil
	}
	if cap(x.scratch) > keepBuffer {
		x.scratch = nil
	}
}

// Param gives the path variable at index i of Route.Params, percent-encoded as it came.
func (x *Exchange) Param(i int) []byte {
	if i < 0 || i >= x.Captures.N {
		return nil
	}
	c := x.Captures.C[i]
	return x.Path[c.Start:c.End]
}

// paramNamed gives a path variable by name, for texts that were compiled without a route.
func (x *Exchange) paramNamed(name string) []byte {
	if x.Route == nil {
		return nil
	}
	return x.Param(slices.Index(x.Route.Params, name))
}

// Scratch gives an empty buffer that lives until the next call of Scratch; KeepScratch hands its growth back.
func (x *Exchange) Scratch() []byte { return x.scratch[:0] }

// KeepScratch keeps a buffer that began as Scratch for the next use.
func (x *Exchange) KeepScratch(b []byte) {
	x.scratch = b
}
