package record_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/telemetry/metrics"
)

// BenchmarkDo is one request with metrics and a line of the default format to a file. The real clock runs, as it does
// in the gateway.
func BenchmarkDo(b *testing.B) {
	file := record.LogConfig{File: filepath.Join(b.TempDir(), "access.log"), Flush: 200 * time.Millisecond}
	for _, bc := range []struct {
		name string
		log  *record.LogConfig
	}{
		{"metrics", nil},
		{"metrics and log", &record.LogConfig{Output: discard{}, Flush: 200 * time.Millisecond}},
		{"metrics and log to a file", &file},
	} {
		b.Run(bc.name, func(b *testing.B) {
			cfg := record.Config{Metrics: metrics.New(metrics.Config{}), Now: time.Now}
			if bc.log != nil {
				cfg.Log = openLog(b, *bc.log)
				cfg.Format = format(b, definition.LogFormatJSON, true)
			}
			x := newExchange(petstore().AllRoutes[1])
			step := record.New(cfg).All(serving(x.Stage))
			b.ReportAllocs()
			for b.Loop() {
				x.Started = time.Now().Add(-3 * time.Millisecond)
				_ = step.Do(x)
			}
			if cfg.Log != nil {
				b.ReportMetric(float64(cfg.Log.Stats().Dropped)/float64(b.N), "dropped/op")
			}
		})
	}
}

// large is a snapshot of one stage with n routes.
func large(n int) *snapshot.Snapshot {
	stage := &snapshot.Stage{ID: "big/v1", Name: "v1", API: &snapshot.API{ID: "big"}}
	for i := range n {
		path := fmt.Sprintf("/g%d/r%d", i/100, i%100)
		stage.AllRoutes = append(stage.AllRoutes, &snapshot.Route{
			Key: "GET " + path, ID: "big/v1/GET " + path, Method: "GET", Path: path, Stage: stage,
		})
	}
	return serving(stage)
}

// BenchmarkRoutes goes over ten routes, or in random order over ten thousand, of which none is in the processor's cache
// when its turn comes.
func BenchmarkRoutes(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) { benchmarkRoutes(b, n, record.Config{}) })
		b.Run(fmt.Sprintf("%d with log", n), func(b *testing.B) {
			benchmarkRoutes(b, n, record.Config{
				Log:    openLog(b, record.LogConfig{Output: discard{}, Flush: 200 * time.Millisecond}),
				Format: format(b, definition.LogFormatJSON, true),
			})
		})
	}
}

func benchmarkRoutes(b *testing.B, n int, cfg record.Config) {
	cfg.Metrics = metrics.New(metrics.Config{MaxRoutes: n})
	cfg.Now = func() time.Time { return start.Add(300 * time.Microsecond) }
	s := large(n)
	step := record.New(cfg).All(s)
	x := newExchange(s.Routes[0])
	x.Backend.Latency = 200 * time.Microsecond
	// The cells are made in another order than they are used, so that no two steps lead to neighbours.
	for _, i := range rand.Perm(n) {
		x.Route = s.Routes[i]
		_ = step.Do(x)
	}
	order := rand.Perm(n)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Route = s.Routes[order[i%n]]
		_ = step.Do(x)
	}
}
