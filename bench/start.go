package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// startRuns is how often each kind of start is timed.
const startRuns = 10

// runStart measures the time from starting the process to its first answer, with no data kept and with the data of the
// start before. Nothing is pinned, as when a person starts it.
func runStart(ctx context.Context, l *lab, _ options) (string, error) {
	if err := l.startBackend(ctx); err != nil {
		return "", err
	}
	if err := l.buildGateway(ctx); err != nil {
		return "", err
	}
	g, err := l.newGateway("start", fewRoutes, fewKeys)
	if err != nil {
		return "", err
	}
	if err := g.write(); err != nil {
		return "", err
	}
	var first, again []time.Duration
	for range startRuns {
		if err := os.RemoveAll(g.data()); err != nil {
			return "", err
		}
		for _, times := range []*[]time.Duration{&first, &again} {
			d, err := l.timeStart(ctx, g)
			if err != nil {
				return "", err
			}
			*times = append(*times, d)
		}
		progress("first answer after %s; with kept data after %s",
			first[len(first)-1].Round(time.Millisecond), again[len(again)-1].Round(time.Millisecond))
	}
	slices.Sort(first)
	slices.Sort(again)
	return startSection(first, again, l.machine(ctx)), nil
}

// timeStart starts the gateway, waits for its first answer and stops it.
func (l *lab) timeStart(ctx context.Context, g *gateway) (time.Duration, error) {
	t := g.targets()[0]
	began := time.Now()
	p, err := l.start(g.name, anyCPU, l.gatehouse, "serve", g.file())
	if err != nil {
		return 0, err
	}
	defer p.stop()
	err = p.waitFor(ctx, time.Millisecond, func() bool { return answers(g.addr, t) })
	return time.Since(began), err
}

func startSection(first, again []time.Duration, machine string) string {
	const ms = time.Millisecond
	return fmt.Sprintf("## Start\n\nFrom the start of the process to the first 200, ten operations and ten keys, %d runs. "+
		"Without kept data: least %s, median %s. With the data of the start before: least %s, median %s.\n\n%s\n%s\n",
		startRuns, first[0].Round(ms), median(first).Round(ms), again[0].Round(ms), median(again).Round(ms),
		limitTable(limit{
			what: "first answer, no kept data, median", value: float64(median(first)) / float64(ms),
			measured: true, most: 200, unit: "ms",
		}), machine)
}
