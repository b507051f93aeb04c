// Package listen owns the sockets: it accepts connections, reads requests within their limits and hands each to the way
// as an exchange.
//
// It stands before match. A request that is not HTTP, or that two parsers could read in two ways, ends here and its
// connection is closed. Sockets outlive snapshots: nothing here knows one. It speaks HTTP/1.1 on fasthttp.
package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
)

// Way is what a request passes: the data plane.
type Way interface {
	// Serve takes a request from match to record. The exchange is listen's again when it returns.
	Serve(x *exchange.Exchange)
	// Refuse answers and records a request that never reaches match.
	Refuse(x *exchange.Exchange, err error)
}

// Config is one listener's. Zero values are the defaults.
type Config struct {
	// Addr is "host:port".
	Addr string
	// HeaderTimeout bounds the time from a request's first byte to the end of its header; default 10 s.
	HeaderTimeout time.Duration
	// BodyTimeout bounds the time in which a request's body has to arrive; default 60 s.
	BodyTimeout time.Duration
	// IdleTimeout closes connections without a request; default 310 s, as on AWS.
	IdleTimeout time.Duration
	// WriteTimeout ends the connection of a client that takes nothing of an answer for so long; default 60 s.
	WriteTimeout time.Duration
	// MaxConnections is the most open connections; default 100,000.
	MaxConnections int
}

// AWS's limits of what is read before a body.
const (
	maxURI     = 8192
	maxHeaders = 10_240
	// readBuffer has room for both, so that a request somewhat over them is answered and its connection kept.
	readBuffer = 24 << 10
)

// Server is one listener. It is safe for concurrent use.
type Server struct {
	config    Config
	way       Way
	http      *fasthttp.Server
	listener  net.Listener
	deadlines *deadlines
	accepted  atomic.Int64
	malformed atomic.Int64
}

// New opens the socket; Serve starts accepting.
func New(config Config, way Way, log *slog.Logger) (*Server, error) {
	config = withDefaults(config)
	ln, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", config.Addr, err)
	}
	s := &Server{config: config, way: way, deadlines: newDeadlines(timeouts{
		idle: config.IdleTimeout, header: config.HeaderTimeout, body: config.BodyTimeout, write: config.WriteTimeout,
	})}
	s.listener = &listener{Listener: ln, server: s}
	s.http = &fasthttp.Server{
		Handler:                       s.serve,
		ErrorHandler:                  s.unreadable,
		HeaderReceived:                bodyFollows,
		ExpectHandler:                 expect,
		Logger:                        quiet{log},
		ReadBufferSize:                readBuffer,
		Concurrency:                   config.MaxConnections,
		MaxRequestBodySize:            exchange.MaxBody,
		StreamRequestBody:             true,
		DisablePreParseMultipartForm:  true,
		DisableHeaderNamesNormalizing: true,
		NoDefaultServerHeader:         true,
		NoDefaultContentType:          true,
		SecureErrorLogMessage:         true,
		CloseOnShutdown:               true,
		LazyRequestTime:               true,
	}
	return s, nil
}

func withDefaults(c Config) Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.HeaderTimeout, 10*time.Second)
	def(&c.BodyTimeout, 60*time.Second)
	def(&c.IdleTimeout, 310*time.Second)
	def(&c.WriteTimeout, 60*time.Second)
	if c.MaxConnections <= 0 {
		c.MaxConnections = 100_000
	}
	return c
}

// Addr is the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve accepts until Shutdown; nil after that.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("accept on %s: %w", s.Addr(), err)
	}
	return nil
}

// Shutdown stops accepting, lets requests under way finish until ctx ends, and closes idle connections.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.ShutdownWithContext(ctx)
	_ = s.listener.Close() // closed already unless Serve never ran
	s.deadlines.stop()
	if err != nil {
		return fmt.Errorf("close %s: requests were still under way: %w", s.Addr(), err)
	}
	return nil
}

// Open is the number of connections now.
func (s *Server) Open() int64 { return int64(s.http.GetOpenConnectionsCount()) }

// Accepted is the number of connections ever.
func (s *Server) Accepted() int64 { return s.accepted.Load() }

// Malformed is the number of requests that were refused as malformed.
func (s *Server) Malformed() int64 { return s.malformed.Load() }

// The refusals of this package.
var (
	errMalformed = &fault.Error{Kind: fault.Malformed, Reason: "the request's header could be read in two ways"}
	errHost      = &fault.Error{Kind: fault.Malformed, Reason: "the request has no Host header, or one that holds a user"}
	errFragment  = &fault.Error{Kind: fault.Malformed, Reason: "the URL has a fragment"}
	errVersion   = &fault.Error{Kind: fault.Malformed, Reason: "the version is neither HTTP/1.0 nor HTTP/1.1"}
	errURI       = &fault.Error{Kind: fault.URITooLong, Reason: "the URL is over 8192 bytes"}
	errHeaders   = &fault.Error{Kind: fault.HeadersTooLarge, Reason: "the headers are over 10240 bytes"}
	errTooLarge  = &fault.Error{Kind: fault.RequestTooLarge, Reason: "the body is over 10 MB"}
	errTimeout   = &fault.Error{Kind: fault.Malformed, Reason: "the request did not arrive in time"}
	errBroken    = &fault.Error{Kind: fault.Malformed, Reason: "the request could not be read"}
)

// serve is called for every request whose header was read.
func (s *Server) serve(ctx *fasthttp.RequestCtx) {
	c := connOf(ctx)
	if c.phase() != serving {
		c.enter(serving)
	}
	if !c.served.Load() {
		c.served.Store(true)
	}
	x := &c.exchange
	begin(x, ctx)
	f := check(&ctx.Request)
	if f != nil {
		s.way.Refuse(x, f)
	} else {
		s.way.Serve(x)
		f = x.Refusal
	}
	if f != nil {
		s.settle(ctx, f.Kind)
	}
	c.enter(idle)
}

// bodyFollows makes fasthttp tell the connection that a header has ended, by setting a deadline, when a body comes behind it.
func bodyFollows(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if n := h.ContentLength(); n > 0 || n == -1 {
		return fasthttp.RequestConfig{ReadTimeout: time.Hour}
	}
	return fasthttp.RequestConfig{}
}

// expect refuses a body that a client announces with Expect: 100-continue and that would be refused anyway.
func expect(ctx *fasthttp.RequestCtx) int {
	if f := check(&ctx.Request); f != nil && f.Kind == fault.RequestTooLarge {
		return fasthttp.StatusRequestEntityTooLarge
	}
	return fasthttp.StatusContinue
}

// connOf gives the connection that Accept made.
func connOf(ctx *fasthttp.RequestCtx) *conn {
	if c, ok := ctx.Conn().(*conn); ok {
		return c
	}
	return &conn{Conn: ctx.Conn()} // never: all connections come from Accept
}

// settle counts a malformed request. It ends the connection where nobody knows whether the next request begins: the
// body, too, may have been found malformed or too large, by a step that read it.
func (s *Server) settle(ctx *fasthttp.RequestCtx, k fault.Kind) {
	if k == fault.Malformed {
		s.malformed.Add(1)
	}
	if k == fault.Malformed || k == fault.RequestTooLarge {
		ctx.Response.SetConnectionClose()
	}
}

// begin makes a connection's exchange ready for a request.
func begin(x *exchange.Exchange, ctx *fasthttp.RequestCtx) {
	x.Reset()
	x.Request, x.Response = &ctx.Request, &ctx.Response
	x.Conn, x.TLS = ctx.Conn(), ctx.TLSConnectionState()
	x.ClientIP = clientIP(ctx.RemoteAddr())
	x.Started = time.Now() //nolint:forbidigo // this is where the time of a request is taken
	x.NewIDs()
}

func clientIP(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		ip, _ := netip.AddrFromSlice(tcp.IP)
		return ip.Unmap()
	}
	return netip.Addr{}
}

// unreadable is called for requests that fasthttp could not read; the connection is closed afterwards. Of a connection on
// which nobody ever said anything there is nothing to answer or to record.
func (s *Server) unreadable(ctx *fasthttp.RequestCtx, err error) {
	c := connOf(ctx)
	if c.phase() == idle && !c.served.Load() {
		_ = c.Close()
		return
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = errBroken
	}
	x := &c.exchange
	begin(x, ctx)
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	f := errBroken
	switch {
	case errors.As(err, &small):
		f = errHeaders
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		f = errTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		f = errTimeout
	}
	if f.Kind == fault.Malformed {
		s.malformed.Add(1)
	}
	ctx.Response.Header.DisableNormalizing()
	s.way.Refuse(x, f)
}

// quiet carries fasthttp's own messages to the log at debug level: they speak of single connections.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(format string, args ...any) {
	q.log.Debug("connection", "message", fmt.Sprintf(format, args...))
}

var _ fasthttp.Logger = quiet{}
