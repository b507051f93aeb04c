package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// reloadEvery is the pause between two reloads.
const reloadEvery = 100 * time.Millisecond

// reloaded is what happened while definitions were swapped under load.
type reloaded struct {
	load   load
	sent   int // reloads asked for
	active int // of these, in effect before the next was asked for
}

// runReload puts full load on a gateway and reloads it all the while. Each reload moves the API to another second base
// path, so that it can be seen whether the gateway swapped at all.
func runReload(ctx context.Context, l *lab, o options) (string, error) {
	if err := l.findWrk(ctx); err != nil {
		return "", err
	}
	if err := l.startBackend(ctx); err != nil {
		return "", err
	}
	if err := l.buildGateway(ctx); err != nil {
		return "", err
	}
	g, err := l.newGateway("reload", fewRoutes, fewKeys)
	if err != nil {
		return "", err
	}
	if err := g.write(); err != nil {
		return "", err
	}
	p, err := l.start(g.name, l.measuredCPU, l.gatehouse, "serve", g.file())
	if err != nil {
		return "", err
	}
	defer p.stop()
	ready := func() bool { return answers(g.addr, g.targets()[0]) }
	if err := p.waitFor(ctx, 20*time.Millisecond, ready); err != nil {
		return "", err
	}
	seen, err := l.reloadUnderLoad(ctx, p, g, o.reload)
	if err != nil {
		return "", p.failed(err)
	}
	return reloadSection(seen, l.machine(ctx), o), nil
}

// reloadUnderLoad ends with the load, or with the first thing that goes wrong.
func (l *lab) reloadUnderLoad(ctx context.Context, p *process, g *gateway, d time.Duration) (reloaded, error) {
	script, err := writeTargets(l.dir, g.name, g.targets())
	if err != nil {
		return reloaded{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	type end struct {
		load load
		err  error
	}
	driven := make(chan end, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		seen, err := l.drive(ctx, g.addr, script, d)
		driven <- end{seen, err}
	}()
	defer func() { cancel(); <-ended }()
	var r reloaded
	next := time.NewTicker(reloadEvery)
	defer next.Stop()
	for {
		select {
		case e := <-driven:
			r.load = e.load
			if e.err != nil {
				return r, e.err
			}
			return r, p.waitFor(ctx, reloadEvery, func() bool { return g.swapped() })
		case <-p.done:
			return r, errors.New("it ended under load")
		case <-next.C:
			if r.sent > 0 && g.swapped() {
				r.active++
			}
			r.sent++
			g.basePath = fmt.Sprintf("/swap%d", r.sent)
			if err := g.writeConfig(); err != nil {
				return r, err
			}
			if err := syscall.Kill(p.pid, syscall.SIGHUP); err != nil {
				return r, err
			}
		}
	}
}

// swapped tells whether the latest written configuration is in effect.
func (g *gateway) swapped() bool {
	t := g.targets()[0]
	t.path = g.basePath + t.path
	return answers(g.addr, t)
}

func reloadSection(r reloaded, machine string, o options) string {
	return fmt.Sprintf("## Reload under full load\n\n%s of load on %d connections, everything on, ten routes and ten keys; "+
		"gatehouse.yaml was changed and SIGHUP sent every %s: %d times, of which %d were in effect before the next. The last "+
		"one was in effect at the end. %d requests, %.0f a second, p50 %s, p99 %s; %d answers over 399, %d socket errors.\n\n%s\n%s\n",
		o.reload, connections, reloadEvery, r.sent, r.active, r.load.requests, r.load.rate, r.load.p50, r.load.p99,
		r.load.statusErrors, r.load.socketErrors,
		limitTable(limit{what: "failed requests", value: float64(r.load.errors()), measured: true}), machine)
}
