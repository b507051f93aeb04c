// Package daemon puts the running gateway together: config, store, registries, data plane, listeners, publisher.
//
// It is where the two planes meet. It decides the order in which parts start and stop, and nothing else. It also answers
// `gatehouse explain`, which needs both planes too.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/compile"
	"gatehouse/internal/config"
	"gatehouse/internal/dataplane"
	"gatehouse/internal/dataplane/listen"
	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/definition"
	"gatehouse/internal/publish"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/internal/telemetry/management"
	"gatehouse/internal/telemetry/metrics"
)

// Config says what is to be served.
type Config struct {
	// Path of a gatehouse.yaml or an OpenAPI document.
	Path string
	Env  publish.LookupEnv
	// Stderr takes the gateway's own log.
	Stderr  io.Writer
	Version string
}

// Daemon is one running gateway.
type Daemon struct {
	file      *config.File
	log       *slog.Logger
	store     store.Store
	ledger    *throttle.Ledger
	access    *record.Log
	metrics   *metrics.Metrics
	pools     *dataplane.Pools
	plane     *dataplane.Dataplane
	publisher *publish.Publisher
	server    *listen.Server
	manage    *management.Server
	// opened are the parts to be closed, in the order in which they were opened.
	opened []func(context.Context) error
}

// New reads the definitions and opens everything that serving needs, the sockets included. Diagnostics come back
// sorted; with errors among them nothing was opened. Run serves.
func New(ctx context.Context, c Config) (*Daemon, definition.Diagnostics, error) {
	r := publish.Read(c.Path, c.Env, time.Now())
	if r.Diagnostics.HasErrors() {
		return nil, r.Diagnostics, nil
	}
	d := &Daemon{file: r.File.Settings(), log: logger(r.File.Log, c.Stderr)}
	if err := d.open(ctx, c, r); err != nil {
		return nil, nil, errors.Join(err, d.close(ctx))
	}
	diags := r.Diagnostics
	// Reading definitions takes several times the memory that serving them does.
	debug.FreeOSMemory()
	return d, diags, nil
}

func logger(c config.Log, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(to, options))
	}
	return slog.New(slog.NewJSONHandler(to, options))
}

// open starts the parts, those that others need first.
func (d *Daemon) open(ctx context.Context, c Config, r publish.Result) error {
	for _, step := range []func() error{
		func() error { return d.openLedger(ctx) },
		func() error { return d.openRecord(c.Version) },
		d.openPlane,
		func() error { return d.openPublisher(c, r) },
		d.openListeners,
		d.watch,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// later registers a part to be closed.
func (d *Daemon) later(closing func(context.Context) error) { d.opened = append(d.opened, closing) }

// close closes the parts in the order opposite to their opening.
func (d *Daemon) close(ctx context.Context) error {
	var errs []error
	for _, v := range slices.Backward(d.opened) {
		errs = append(errs, v(ctx))
	}
	d.opened = nil
	return errors.Join(errs...)
}

// usageKind is the kind of the store's documents that hold quota counters.
const usageKind = "usage"

func (d *Daemon) openLedger(ctx context.Context) (err error) {
	if d.store, err = sqlite.Open(ctx, d.file.Data); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	d.later(func(context.Context) error { return d.store.Close() })
	d.ledger, err = throttle.Open(ctx, throttle.Config{Keeper: store.NewShelf(d.store, usageKind), Now: time.Now, Log: d.log})
	if err != nil {
		return err
	}
	d.later(d.ledger.Close)
	return nil
}

func (d *Daemon) openRecord(version string) (err error) {
	d.metrics = metrics.New(metrics.Config{Version: version, IntegrationErrors: errorKinds()})
	d.access, err = record.OpenLog(record.LogConfig{File: d.file.Log.Access.File, Logger: d.log})
	if err != nil {
		return fmt.Errorf("open the access log: %w", err)
	}
	d.later(func(context.Context) error { return d.access.Close() })
	return nil
}

func (d *Daemon) openPlane() error {
	format, _ := compile.LogFormat(d.file.Log.Access.Format.Value) // its errors are among the diagnostics
	clock := stopwatch()
	recorder := record.New(record.Config{Log: d.access, Metrics: d.metrics, Format: format, ErrorKind: errorKind, Now: clock})
	d.pools = dataplane.NewPools()
	d.later(func(context.Context) error { d.pools.Close(); return nil })
	d.plane = dataplane.New(dataplane.Parts{Ledger: d.ledger, Recorder: recorder, Proxy: d.pools.Proxy(clock), Pools: d.pools})
	return nil
}

// stopwatch tells times that are only compared with each other: it reads the monotonic clock, which costs half of what
// the wall clock costs too.
func stopwatch() func() time.Time {
	base := time.Now()
	return func() time.Time { return base.Add(time.Since(base)) }
}

func (d *Daemon) openPublisher(c Config, r publish.Result) error {
	d.publisher = publish.New(publish.Config{Path: c.Path, Env: c.Env, Swap: d.plane.Swap, Log: d.log})
	d.publisher.Start(r)
	return nil
}

func (d *Daemon) openListeners() (err error) {
	l := d.file.Listen
	d.server, err = listen.New(listen.Config{
		Addr: l.HTTP, HeaderTimeout: l.HeaderTimeout, BodyTimeout: l.BodyTimeout, IdleTimeout: l.IdleTimeout,
		MaxConnections: l.MaxConnections,
	}, d.plane, d.log)
	if err != nil {
		return fmt.Errorf("%w: is another program using the port? change `listen: {http: …}`", err)
	}
	d.later(d.server.Shutdown)
	d.manage = management.New(management.Config{
		Addr: d.file.Management.Listen, Snapshot: d.served, Checks: d.checks(), Metrics: d.metrics.Handler(), Profile: d.file.Management.Profile, Logger: d.log,
	})
	if err := d.manage.Start(); err != nil {
		return err
	}
	d.later(d.manage.Shutdown)
	return nil
}

// Addr is the address that clients reach.
func (d *Daemon) Addr() net.Addr { return d.server.Addr() }

// ManagementAddr is the address of metrics and health.
func (d *Daemon) ManagementAddr() net.Addr { return d.manage.Addr() }

// Reload reads the definitions again and reopens the access log, for rotation.
func (d *Daemon) Reload() {
	if err := d.access.Reopen(); err != nil {
		d.log.Error("the access log cannot be reopened", "error", err)
	}
	d.publisher.Reload()
}

// Run serves until ctx ends, then stops accepting, lets requests under way finish, and closes everything.
func (d *Daemon) Run(ctx context.Context) error {
	var background sync.WaitGroup
	watching, stop := context.WithCancel(ctx)
	defer stop()
	background.Go(func() { d.publisher.Run(watching) })
	failed := make(chan error, 1)
	background.Go(func() {
		if err := d.server.Serve(); err != nil {
			failed <- err
		}
	})
	d.log.Info("serving", "http", d.Addr().String(), "management", d.ManagementAddr().String(), "config", d.file.Path)
	var err error
	select {
	case <-ctx.Done():
		d.log.Info("stopping: finishing requests under way", "timeout", d.file.ShutdownTimeout.String())
	case err = <-failed:
	}
	stop()
	d.manage.Drain()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.file.ShutdownTimeout)
	defer cancel()
	d.closeListener(closing)
	err = errors.Join(err, d.close(closing))
	background.Wait()
	d.log.Info("stopped")
	return err
}

// closeListener ends the serving of clients before anything else is closed.
func (d *Daemon) closeListener(ctx context.Context) {
	if err := d.server.Shutdown(ctx); err != nil {
		d.log.Warn("requests were cut off", "error", err)
	}
}
