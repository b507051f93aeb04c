package config_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/internal/config"
)

// BenchmarkLoadKeys loads a file of 100,000 API keys.
func BenchmarkLoadKeys(b *testing.B) {
	var text strings.Builder
	text.WriteString(onlyRoute + "usage_plans: {free: {stages: [a/default]}}\napi_keys:\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "  customer-%d: {value: key-%030d, plans: [free]}\n", i, i)
	}
	path := write(b, b.TempDir(), "gatehouse.yaml", text.String())
	b.ReportAllocs()
	for b.Loop() {
		file, diags := config.Load(path, environment)
		if len(diags) > 0 || len(file.APIKeys) != 100_000 {
			b.Fatal(diags, len(file.APIKeys))
		}
	}
}

// BenchmarkLoadRoutes loads a file of 10,000 routes.
func BenchmarkLoadRoutes(b *testing.B) {
	var text strings.Builder
	text.WriteString("apis:\n  a:\n    public: true\n    routes:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "      GET /things/{id}/parts%d: http://127.0.0.1:9000/things/{id}/parts%d\n", i, i)
	}
	path := write(b, b.TempDir(), "gatehouse.yaml", text.String())
	b.ReportAllocs()
	for b.Loop() {
		file, diags := config.Load(path, environment)
		if len(diags) > 0 || len(file.REST[0].Resources) != 10_000 {
			b.Fatal(diags)
		}
	}
}
