package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// row is one process, or one nginx with its worker, to measure. The same row is started anew in each round.
type row struct {
	id        string
	title     string
	addr      string // where it listens
	command   []string
	targets   []target
	guarded   bool   // it must refuse a request without a key
	accessLog string // its access log; empty when it keeps none
	script    string // for wrk; set by prepareRows
}

// rowKind says how a row is prepared.
type rowKind struct {
	id, title string
	prepare   func(ctx context.Context, l *lab, r *row) error
}

// The row that others are compared with, and what all is done for.
const (
	rowNginx   = "nginx"
	rowAll     = "gatehouse-all"
	rowLarge   = "gatehouse-large"
	fewRoutes  = 10
	fewKeys    = 10
	manyRoutes = 10_000
	manyKeys   = 100_000
)

// rowKinds are the rows in the order in which each round measures them.
func rowKinds() []rowKind {
	return []rowKind{
		{"tcp", "raw TCP forwarder in Go", prepareForward},
		{rowNginx, "nginx, proxying", nginxRow(0)},
		{"nginx-keys", "nginx, 10 keys by `map`, `limit_req`", nginxRow(fewKeys)},
		{"gatehouse", "Gatehouse, proxying", gatewayRow(1, 0)},
		{rowAll, "Gatehouse, everything on, 10 routes, 10 keys", gatewayRow(fewRoutes, fewKeys)},
		{rowLarge, "Gatehouse, everything on, 10,000 routes, 100,000 keys", gatewayRow(manyRoutes, manyKeys)},
	}
}

func rowIDs() []string {
	var ids []string
	for _, k := range rowKinds() {
		ids = append(ids, k.id)
	}
	return ids
}

func checkRowIDs(ids []string) error {
	for _, id := range ids {
		if !slices.Contains(rowIDs(), id) {
			return fmt.Errorf("%w: no row is called %q; there are %v", errUsage, id, rowIDs())
		}
	}
	return nil
}

// prepareRows writes and builds what the chosen rows need; no ids choose all.
func prepareRows(ctx context.Context, l *lab, ids []string) ([]*row, error) {
	var rows []*row
	for _, k := range rowKinds() {
		if len(ids) > 0 && !slices.Contains(ids, k.id) {
			continue
		}
		r := &row{id: k.id, title: k.title}
		if err := k.prepare(ctx, l, r); err != nil {
			return nil, fmt.Errorf("row %s: %w", k.id, err)
		}
		if err := r.writeScript(l); err != nil {
			return nil, fmt.Errorf("row %s: %w", k.id, err)
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, errors.New("no row is chosen")
	}
	return rows, nil
}

func (r *row) writeScript(l *lab) (err error) {
	r.script, err = writeTargets(l.dir, r.id, r.targets)
	return err
}

func prepareForward(_ context.Context, l *lab, r *row) (err error) {
	if r.addr, err = l.freeAddr(); err != nil {
		return err
	}
	r.command = []string{l.self, "forward", r.addr, l.backendAddr}
	r.targets = []target{{path: routePath(0)}}
	return nil
}

func nginxRow(keys int) func(context.Context, *lab, *row) error {
	return func(ctx context.Context, l *lab, r *row) error {
		if err := l.findNginx(ctx); err != nil {
			return err
		}
		addr, err := l.freeAddr()
		if err != nil {
			return err
		}
		conf, err := l.writeNginx(r.id, addr, keys)
		if err != nil {
			return err
		}
		r.addr, r.command, r.guarded = addr, l.nginxCommand(conf), keys > 0
		like := gateway{routes: max(keys, 1), keys: keys} // the requests of the Gatehouse row it stands beside
		r.targets = like.targets()
		return nil
	}
}

func gatewayRow(routes, keys int) func(context.Context, *lab, *row) error {
	return func(ctx context.Context, l *lab, r *row) error {
		if err := l.buildGateway(ctx); err != nil {
			return err
		}
		g, err := l.newGateway(r.id, routes, keys)
		if err != nil {
			return err
		}
		if err := g.write(); err != nil {
			return err
		}
		r.addr, r.command, r.targets = g.addr, []string{l.gatehouse, "serve", g.file()}, g.targets()
		r.guarded, r.accessLog = keys > 0, g.accessLog()
		return nil
	}
}
