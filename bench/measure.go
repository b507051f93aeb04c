package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// sample is one row in one round.
type sample struct {
	load   load
	cpu    usage
	wall   time.Duration
	mem    memory
	logged float64 // access log lines for each request sent; 0 without an access log
}

// micros is d for each request, in microseconds.
func (s sample) micros(d time.Duration) float64 {
	return float64(d) / float64(time.Microsecond) / float64(s.load.requests)
}

// cpuMicros is the figure that rows are compared by.
func (s sample) cpuMicros() float64 { return s.micros(s.cpu.total()) }

// result is one row over all rounds.
type result struct {
	id, title string
	samples   []sample // never empty
}

// best is the sample with the least CPU a request: others on the machine add to that figure and never take away.
func (r result) best() sample {
	return slices.MinFunc(r.samples, func(a, b sample) int { return cmp.Compare(a.cpuMicros(), b.cpuMicros()) })
}

// worst is the most CPU a request of all rounds, in microseconds.
func (r result) worst() float64 {
	most := 0.0
	for _, s := range r.samples {
		most = max(most, s.cpuMicros())
	}
	return most
}

// errors counts failed requests over all rounds. A row with any is invalid.
func (r result) errors() int64 {
	var sum int64
	for _, s := range r.samples {
		sum += s.load.errors()
	}
	return sum
}

// drift is the largest difference between the two ways the kernel counts CPU time, as a share.
func (r result) drift() float64 {
	most := 0.0
	for _, s := range r.samples {
		if s.cpu.scheduled > 0 && s.cpu.total() > 0 {
			most = max(most, math.Abs(float64(s.cpu.scheduled)/float64(s.cpu.total())-1))
		}
	}
	return most
}

// leastLogged is the smallest share of requests with an access log line.
func (r result) leastLogged() float64 {
	least := math.Inf(1)
	for _, s := range r.samples {
		least = min(least, s.logged)
	}
	return least
}

// runProxy measures every row in every round, one row at a time.
func runProxy(ctx context.Context, l *lab, o options) (string, error) {
	if err := l.findWrk(ctx); err != nil {
		return "", err
	}
	if err := l.startBackend(ctx); err != nil {
		return "", err
	}
	rows, err := prepareRows(ctx, l, o.rows)
	if err != nil {
		return "", err
	}
	results := make([]result, len(rows))
	for round := range o.rounds {
		for i, r := range rows {
			s, err := l.measure(ctx, r, o)
			if err != nil {
				return "", fmt.Errorf("row %s: %w", r.id, err)
			}
			results[i].id, results[i].title = r.id, r.title
			results[i].samples = append(results[i].samples, s)
			progress("round %d  %-15s %6.2f µs CPU (%.2f user)  %7.0f requests/s  p99 %s  %d errors",
				round+1, r.id, s.cpuMicros(), s.micros(s.cpu.user), s.load.rate, s.load.p99, s.load.errors())
		}
	}
	return proxySection(results, l.machine(ctx), o), nil
}

// measure starts a row, warms it up, measures it and stops it. Nothing else that is measured runs meanwhile.
func (l *lab) measure(ctx context.Context, r *row, o options) (sample, error) {
	p, err := l.start(r.id, l.measuredCPU, r.command...)
	if err != nil {
		return sample{}, err
	}
	defer p.stop()
	ready := func() bool { return answers(r.addr, r.targets[0]) }
	if err := p.waitFor(ctx, 20*time.Millisecond, ready); err != nil {
		return sample{}, err
	}
	if err := checkRow(r); err != nil {
		return sample{}, p.failed(err)
	}
	warm, err := l.drive(ctx, r.addr, r.script, o.warmup)
	if err != nil {
		return sample{}, p.failed(err)
	}
	s, err := l.sample(ctx, p, r, o.duration)
	if err != nil {
		return sample{}, p.failed(err)
	}
	p.stop()
	s.load.statusErrors += warm.statusErrors
	s.load.socketErrors += warm.socketErrors
	if err := s.readLog(r.accessLog, warm); err != nil {
		return sample{}, p.failed(err)
	}
	return s, nil
}

// sample measures a row that is warm.
func (l *lab) sample(ctx context.Context, p *process, r *row, d time.Duration) (sample, error) {
	pids, err := tree(p.pid)
	if err != nil {
		return sample{}, err
	}
	before, err := usageOf(pids)
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	seen, err := l.drive(ctx, r.addr, r.script, d)
	if err != nil {
		return sample{}, err
	}
	wall := time.Since(began)
	after, err := usageOf(pids)
	if err != nil {
		return sample{}, err
	}
	mem, err := memoryOf(pids)
	if err != nil {
		return sample{}, err
	}
	return sample{load: seen, cpu: after.minus(before), wall: wall, mem: mem}, nil
}

// readLog counts the lines that the stopped row wrote, so that a log which drops lines under load is seen, and removes
// the log, which grows by hundreds of megabytes a round.
func (s *sample) readLog(file string, warm load) error {
	if file == "" {
		return nil
	}
	lines, err := countLines(file)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	s.logged = float64(lines) / float64(warm.requests+s.load.requests)
	return os.Remove(file)
}

func countLines(file string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var lines int64
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte("\n")))
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
