package record_test

import (
	"path/filepath"
	"testing"
	"time"

	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/definition"
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
			step := record.New(cfg).For(x.Route)
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
