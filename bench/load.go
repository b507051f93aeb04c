package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// loadRuns is how often the check is timed.
const loadRuns = 5

// runLoad measures what large definitions cost before any request: the time to check one, the memory to hold one.
func runLoad(ctx context.Context, l *lab, _ options) (string, error) {
	if err := l.findWrk(ctx); err != nil {
		return "", err
	}
	if err := l.startBackend(ctx); err != nil {
		return "", err
	}
	if err := l.buildGateway(ctx); err != nil {
		return "", err
	}
	large, err := l.newGateway("load-large", manyRoutes, manyKeys)
	if err != nil {
		return "", err
	}
	if err := large.write(); err != nil {
		return "", err
	}
	times, err := l.timeCheck(ctx, large)
	if err != nil {
		return "", err
	}
	few, err := l.newGateway("load-keys", fewRoutes, manyKeys)
	if err != nil {
		return "", err
	}
	if err := few.write(); err != nil {
		return "", err
	}
	keys, err := l.serveMemory(ctx, few)
	if err != nil {
		return "", err
	}
	both, err := l.serveMemory(ctx, large)
	if err != nil {
		return "", err
	}
	return loadSection(times, keys, both, l.machine(ctx)), nil
}

// timeCheck returns how long each `gatehouse check` of a document took, sorted.
func (l *lab) timeCheck(ctx context.Context, g *gateway) ([]time.Duration, error) {
	var times []time.Duration
	for range loadRuns {
		cmd := exec.CommandContext(ctx, l.gatehouse, "check", "bench.json")
		cmd.Dir = g.dir
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("gatehouse check: %w:\n%.4000s", err, out)
		}
		times = append(times, time.Since(began))
		progress("checked %d operations in %s", g.routes, times[len(times)-1].Round(time.Millisecond))
	}
	slices.Sort(times)
	return times, nil
}

// held is a gateway's memory right after its first answer, and after it worked.
type held struct{ atStart, afterLoad memory }

func (h held) most() float64 { return float64(max(h.atStart.now, h.afterLoad.now)) / 1e6 }

// serveMemory starts a gateway and reads its memory before and after five seconds of requests.
func (l *lab) serveMemory(ctx context.Context, g *gateway) (held, error) {
	targets := g.targets()
	script, err := writeTargets(l.dir, g.name, targets)
	if err != nil {
		return held{}, err
	}
	p, err := l.start(g.name, l.measuredCPU, l.gatehouse, "serve", g.file())
	if err != nil {
		return held{}, err
	}
	defer p.stop()
	ready := func() bool { return answers(g.addr, targets[0]) }
	if err := p.waitFor(ctx, 20*time.Millisecond, ready); err != nil {
		return held{}, err
	}
	var h held
	if h.atStart, err = memoryOf([]int{p.pid}); err != nil {
		return held{}, p.failed(err)
	}
	seen, err := l.drive(ctx, g.addr, script, 5*time.Second)
	if err != nil {
		return held{}, p.failed(err)
	}
	if seen.errors() > 0 {
		return held{}, p.failed(fmt.Errorf("%d of %d requests failed", seen.errors(), seen.requests))
	}
	if h.afterLoad, err = memoryOf([]int{p.pid}); err != nil {
		return held{}, p.failed(err)
	}
	progress("%s: %.0f MB at start, %.0f MB after load", g.name, float64(h.atStart.now)/1e6, float64(h.afterLoad.now)/1e6)
	return h, nil
}

func loadSection(times []time.Duration, keys, both held, machine string) string {
	var t strings.Builder
	t.WriteString("## Large definitions\n\n")
	fmt.Fprintf(&t, "`gatehouse check` on a generated OpenAPI document, not pinned, %d runs: least %s, median %s. Memory is "+
		"resident, after the first answer and after five seconds of full load.\n\n",
		len(times), times[0].Round(time.Millisecond), median(times).Round(time.Millisecond))
	t.WriteString("| | at start MB | after load MB | peak MB |\n| --- | ---: | ---: | ---: |\n")
	for _, line := range []struct {
		what string
		held held
	}{{"10 routes, 100,000 keys", keys}, {"10,000 routes, 100,000 keys", both}} {
		h := line.held
		fmt.Fprintf(&t, "| %s | %.0f | %.0f | %.0f |\n", line.what,
			float64(h.atStart.now)/1e6, float64(h.afterLoad.now)/1e6, float64(h.afterLoad.peak)/1e6)
	}
	t.WriteString("\n" + limitTable(
		limit{what: "check 10,000 operations, median", value: median(times).Seconds(), measured: true, most: 2, unit: "s", digits: 2},
		limit{what: "memory with 100,000 keys, the larger", value: keys.most(), measured: true, most: 150, unit: "MB"},
	) + "\n" + machine + "\n")
	return t.String()
}

// median of sorted times.
func median(times []time.Duration) time.Duration { return times[len(times)/2] }
