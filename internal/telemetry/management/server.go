package management

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Server needs.
type Config struct {
	// Addr is "host:port"; port 0 takes a free one. Operators only should reach it.
	Addr string
	// Snapshot tells what is served. It is called at every request and must not block.
	Snapshot func() Snapshot
	// Checks are asked by /healthz in this order.
	Checks []Check
	// Metrics answers /metrics.
	Metrics http.Handler
	// Profile serves Go's profiles at /debug/pprof/.
	Profile bool
	// Logger is the gateway's own log; nil for none.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Bounds of the listener.
const (
	maxConns       = 256
	maxHeaderBytes = 16 << 10
	readTimeout    = 10 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = time.Minute
)

const index = `Gatehouse management

/metrics  numbers for Prometheus
/healthz  what is served and what is wrong, as JSON
/readyz   200 while requests should be sent to this gateway
`

// profiles serves Go's own profiles. A profile takes up to the write timeout.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

// Server is the management listener.
type Server struct {
	cfg      Config
	http     *http.Server
	listener net.Listener
	serving  sync.WaitGroup
	draining atomic.Bool
}

// New makes a Server; Start opens its address.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg}
	s.http = &http.Server{
		Handler:     s.Handler(),
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelWarn),
	}
	return s
}

// Handler answers the requests of the management address, without a listener.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.cfg.Metrics)
	mux.HandleFunc("GET /healthz", s.healthz)
	if s.cfg.Profile {
		profiles(mux)
	}
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(index))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// Start opens the address and serves it until Shutdown.
func (s *Server) Start() error {
	l, err := net.Listen("tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("open management address: %w; set management.listen to a free address", err)
	}
	s.listener = l
	s.serving.Go(func() {
		err := s.http.Serve(&bounded{Listener: l, free: make(chan struct{}, maxConns)})
		if !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Logger.Error("the management address is not served any more", "error", err)
		}
	})
	return nil
}

// Addr is the address that Start opened; nil before.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Drain makes /readyz answer 503 from now on: the gateway begins to shut down.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown stops serving. Answers under way are finished while ctx lasts, then cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("shut down management address: %w", errors.Join(err, s.http.Close()))
	}
	s.serving.Wait()
	return err
}

// bounded is a listener with a limit of connections at once: more wait in the kernel's queue.
type bounded struct {
	net.Listener
	free chan struct{}
}

// Accept waits for a connection and for room.
func (b *bounded) Accept() (net.Conn, error) {
	b.free <- struct{}{}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err //nolint:wrapcheck // net/http looks at its type
	}
	return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-b.free })}, nil
}

type boundedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection and makes room for the next.
func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close() //nolint:wrapcheck // net/http looks at its type
}
