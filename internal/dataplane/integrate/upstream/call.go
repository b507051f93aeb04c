package upstream

import (
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Call is one request to a backend and what became of it. It is meant to be kept and used again: a call with a Call that
// was used before allocates nothing. One Call serves one call at a time.
type Call struct {
	// Request is written as it is. With a body stream (SetBodyStream) it is sent once and never again; the stream is
	// closed. Without User-Agent fasthttp writes its own, so the integration settles the headers first.
	Request *fasthttp.Request
	// Response takes the answer. Call keeps its DisableNormalizing; Response.Reset and Header.Reset do not, so a caller
	// who wants the backend's case sets it before each call. After an error the content is undefined: reset it.
	Response *fasthttp.Response
	// Body is room for a short body. Response refers to it until the next call; a Call that takes it from elsewhere gives it
	// back larger.
	Body []byte
	// Deadline ends the call, its dial and the stream of its body included; zero is none. A call is never ended
	// earlier. It ends at most 100 ms later when Now is given and a second or more is left, else as exactly as timers do.
	Deadline time.Time
	// Now is the present, which the caller has at hand anyway. Zero is allowed and makes the deadline exact.
	Now time.Time
	// Client is the connection of the client that waits, to abandon the call when it goes away; nil is not watched.
	// It may be a wrapper that has NetConn() net.Conn, as *tls.Conn does.
	Client net.Conn

	// Server is the address of the server that was tried last.
	Server string
	// Sent: at least a part of the request was written, so the backend may have acted on it.
	Sent bool
	// Reused: the connection had served before.
	Reused bool
	// BytesOut and BytesIn are what the last try wrote and, until Call returned, read, in bytes on the connection before
	// TLS, headers included. A stream reads on after that.
	BytesOut, BytesIn int64

	failure  Failure
	streamed bool
	repeats  bool
	retry    bool
}

// begin forgets the last call.
func (c *Call) begin() {
	c.Server, c.Sent, c.Reused = "", false, false
	c.BytesOut, c.BytesIn = 0, 0
	c.failure = Failure{}
	c.streamed = c.Request.IsBodyStream()
	c.repeats = !c.streamed && idempotent(c.Request.Header.Method())
	c.retry = false
}

// fail records why the call failed.
func (c *Call) fail(k Kind, cause error) error {
	c.failure = Failure{Kind: k, Server: c.Server, Err: cause}
	return &c.failure
}

// idempotent reports whether a request of this method may be sent twice (RFC 9110, 9.2.2).
func idempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE":
		return true
	}
	return false
}
