package metrics_test

import (
	"fmt"
	"io"
	"iter"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"gatehouse/internal/fault"
	"gatehouse/internal/telemetry/metrics"
)

// full is a registry with every source, as the gateway has it.
func full(t testing.TB, cfg metrics.Config) *metrics.Metrics {
	t.Helper()
	cfg.Version = "1.2.3"
	m := metrics.New(cfg)
	c := m.Cell(metrics.Labels{API: "petstore", Stage: "v1", Route: "GET /pets"})
	c.Observe(200, 3*time.Millisecond)
	c.ObserveIntegration(2 * time.Millisecond)
	m.Refused(fault.Throttled)
	m.IntegrationError("timeout")
	for _, err := range []error{
		m.WatchListener(func() metrics.Listener { return metrics.Listener{Open: 3, Accepted: 10, Malformed: 2} }),
		m.WatchThrottle(func() metrics.Throttle {
			return metrics.Throttle{Throttled: 5, QuotaExceeded: 6, Buckets: 7, Counters: 8, StoreFailing: true}
		}),
		m.WatchAccessLog(func() metrics.AccessLog { return metrics.AccessLog{Lines: 11, Dropped: 12, Failures: 13} }),
		m.WatchSnapshot(func() metrics.Snapshot {
			return metrics.Snapshot{Revision: 4, Swapped: time.Unix(1_700_000_000, 5e8), LastReloadOK: true, Failures: 1}
		}),
		m.WatchUpstreams(func() iter.Seq[metrics.Upstream] {
			return slices.Values([]metrics.Upstream{
				{ID: "http://a:80", Open: 2, Idle: 1, Calls: 9, Dials: 3, Retries: 1, Failures: map[string]uint64{"reset": 2}},
				{ID: "http://b:80"},
			})
		}),
		m.Gauge("gatehouse_test_gauge", "A gauge.", map[string]string{"part": "x"}, func() float64 { return 1.5 }),
		m.Counter("gatehouse_test_total", "A counter.", nil, func() float64 { return 2 }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func scrape(t testing.TB, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err, string(b))
	}
	return string(b)
}

func TestExported(t *testing.T) {
	text := scrape(t, full(t, metrics.Config{IntegrationErrors: []string{"refused"}}))
	for _, want := range []string{
		`gatehouse_build_info{version="1.2.3"} 1`,
		`gatehouse_count_total{api="petstore",route="GET /pets",stage="v1"} 1`,
		`gatehouse_latency_seconds_bucket{api="petstore",route="GET /pets",stage="v1",le="0.005"} 1`,
		`gatehouse_latency_seconds_bucket{api="petstore",route="GET /pets",stage="v1",le="0.0025"} 0`,
		`gatehouse_integration_latency_seconds_sum{api="petstore",route="GET /pets",stage="v1"} 0.002`,
		`gatehouse_refused_total{type="THROTTLED"} 1`,
		`gatehouse_integration_errors_total{kind="timeout"} 1`,
		`gatehouse_integration_errors_total{kind="refused"} 0`,
		"gatehouse_connections 3", "gatehouse_connections_accepted_total 10", "gatehouse_malformed_requests_total 2",
		`gatehouse_throttle_refused_total{limit="rate"} 5`, `gatehouse_throttle_refused_total{limit="quota"} 6`,
		"gatehouse_throttle_buckets 7", "gatehouse_throttle_quota_counters 8", "gatehouse_throttle_store_failing 1",
		"gatehouse_access_log_lines_total 11", "gatehouse_access_log_dropped_total 12", "gatehouse_access_log_failures_total 13",
		`gatehouse_snapshot_info{revision="4"} 1`, "gatehouse_snapshot_swapped_timestamp_seconds 1.7000000005e+09",
		"gatehouse_snapshot_last_reload_ok 1", "gatehouse_snapshot_reload_failures_total 1",
		`gatehouse_upstream_connections{upstream="http://a:80"} 2`, `gatehouse_upstream_connections{upstream="http://b:80"} 0`,
		`gatehouse_upstream_idle_connections{upstream="http://a:80"} 1`,
		`gatehouse_upstream_failures_total{kind="reset",upstream="http://a:80"} 2`,
		`gatehouse_test_gauge{part="x"} 1.5`, "gatehouse_test_total 2",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for _, want := range []string{"go_memstats_heap_inuse_bytes", "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(text, "\n"+want+" ") {
			t.Errorf("missing: %s", want)
		}
	}
}

func TestStatusClasses(t *testing.T) {
	m := metrics.New(metrics.Config{})
	c := m.Cell(metrics.Labels{API: "a", Stage: "s", Route: "r"})
	for _, status := range []int{101, 200, 301, 399, 400, 404, 499, 500, 504, 599} {
		c.Observe(status, 0)
	}
	text := scrape(t, m)
	for _, want := range []string{"count_total%s 10", "4xx_total%s 3", "5xx_total%s 3", "latency_seconds_count%s 10"} {
		if want := fmt.Sprintf("gatehouse_"+want+"\n", `{api="a",route="r",stage="s"}`); !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
}

// TestBounds holds a latency that is exactly a bound to its bucket, as Prometheus has it, and the longest to the last.
func TestBounds(t *testing.T) {
	m := metrics.New(metrics.Config{})
	c := m.Cell(metrics.Labels{API: "a", Stage: "s", Route: "r"})
	for _, latency := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, 30 * time.Second, 31 * time.Second} {
		c.Observe(200, latency)
	}
	text := scrape(t, m)
	for _, want := range []string{
		`bucket{api="a",route="r",stage="s",le="0.0005"} 1`, `bucket{api="a",route="r",stage="s",le="0.001"} 2`,
		`bucket{api="a",route="r",stage="s",le="0.0025"} 3`, `bucket{api="a",route="r",stage="s",le="10"} 3`,
		`bucket{api="a",route="r",stage="s",le="30"} 4`, `bucket{api="a",route="r",stage="s",le="+Inf"} 5`,
		`sum{api="a",route="r",stage="s"} 61.002000001`, `count{api="a",route="r",stage="s"} 5`,
	} {
		if !strings.Contains(text, "gatehouse_latency_seconds_"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(text, "gatehouse_integration_latency_seconds_count") {
		t.Error("a route that called no backend has a latency of it")
	}
}

// TestCellsAreSmall holds ten thousand routes in use to what they may cost.
func TestCellsAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(metrics.Cell{}); size > 320 || size%64 != 0 {
		t.Errorf("a cell has %d bytes, want whole lines of 64 and no more than 320", size)
	}
	const routes = 10_000
	m := metrics.New(metrics.Config{MaxRoutes: routes})
	labels := make([]metrics.Labels, routes)
	for i := range labels {
		labels[i] = metrics.Labels{API: "a", Stage: "s", Route: fmt.Sprintf("GET /%d", i)}
	}
	before := heap()
	for _, l := range labels {
		m.Cell(l)
	}
	if grown := heap() - before; grown > 5<<20 {
		t.Errorf("%d routes take %d bytes", routes, grown)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(labels)
}

func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// TestScrapeUnderLoad is for the race detector, and holds the numbers of one scrape to each other.
func TestScrapeUnderLoad(t *testing.T) {
	m := metrics.New(metrics.Config{})
	done := make(chan struct{})
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() {
			c := m.Cell(metrics.Labels{API: "a", Stage: "s", Route: "r"})
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					c.Observe(500, time.Duration(i%100)*time.Millisecond)
				}
			}
		})
	}
	value := regexp.MustCompile(`(?m)^gatehouse_(count_total|5xx_total|latency_seconds_count){.*} (.*)$`)
	for range 20 {
		got := map[string]float64{}
		for _, line := range value.FindAllStringSubmatch(scrape(t, m), -1) {
			got[line[1]], _ = strconv.ParseFloat(line[2], 64)
		}
		if got["count_total"] != got["latency_seconds_count"] || got["5xx_total"] > got["count_total"] {
			t.Errorf("%v", got)
		}
	}
	close(done)
	load.Wait()
}

func TestNameTaken(t *testing.T) {
	m := full(t, metrics.Config{})
	one := func() float64 { return 1 }
	for name, err := range map[string]error{
		"taken":    m.Gauge("gatehouse_connections", "Again.", nil, one),
		"no name":  m.Counter("", "Nothing.", nil, one),
		"the same": m.WatchListener(func() metrics.Listener { return metrics.Listener{} }),
	} {
		if err == nil || !strings.Contains(err.Error(), "export metric") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRoutesAreBounded(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	m := metrics.New(metrics.Config{MaxRoutes: 3, Keep: time.Minute, Now: func() time.Time { return now }})
	cell := func(route int) *metrics.Cell {
		return m.Cell(metrics.Labels{API: "a", Stage: "s", Route: fmt.Sprintf("GET /%d", route)})
	}
	for i := range 10 {
		cell(i).Observe(200, 0)
		cell(i).ObserveIntegration(0)
	}
	text := scrape(t, m)
	if n := strings.Count(text, "\ngatehouse_count_total{"); n != 4 {
		t.Errorf("%d routes are exported, want 3 and the rest", n)
	}
	if want := `gatehouse_count_total{api="a",route="(other)",stage="s"} 7` + "\n"; !strings.Contains(text, want) {
		t.Errorf("missing: %s", want)
	}
	m.Retain(func(l metrics.Labels) bool { return l.Route == "GET /0" })
	now = now.Add(59 * time.Second)
	if text := scrape(t, m); !strings.Contains(text, `route="GET /1"`) {
		t.Error("forgotten too soon")
	}
	m.Retain(func(l metrics.Labels) bool { return l.Route == "GET /0" || l.Route == "GET /2" }) // one came back
	now = now.Add(time.Second)
	text = scrape(t, m)
	if strings.Contains(text, `route="GET /1"`) || strings.Contains(text, `route="(other)"`) {
		t.Error("not forgotten")
	}
	if !strings.Contains(text, `route="GET /0"`) || !strings.Contains(text, `route="GET /2"`) {
		t.Error("forgotten though served")
	}
	cell(8).Observe(200, 0)
	if !strings.Contains(scrape(t, m), `route="GET /8"`) {
		t.Error("the room of a forgotten route is not used again")
	}
}

func TestErrorKindsAreBounded(t *testing.T) {
	m := metrics.New(metrics.Config{})
	for i := range 1000 {
		m.IntegrationError(fmt.Sprint("kind", i))
	}
	text := scrape(t, m)
	if n := strings.Count(text, "\ngatehouse_integration_errors_total{"); n > 33 {
		t.Errorf("%d kinds", n)
	}
	if !strings.Contains(text, `gatehouse_integration_errors_total{kind="other"} 968`+"\n") {
		t.Error("the others are not counted")
	}
}

func TestOddNames(t *testing.T) {
	m := metrics.New(metrics.Config{})
	m.Cell(metrics.Labels{API: "a\xff", Stage: "s\"\n", Route: "GET /ä"}).Observe(200, 0)
	m.Refused(fault.Kinds) // has no name
	m.Refused(200)
	if want := "gatehouse_count_total{api=\"a\uFFFD\",route=\"GET /ä\",stage=\"s\\\"\\n\"} 1\n"; !strings.Contains(scrape(t, m), want) {
		t.Errorf("missing: %s", want)
	}
}

func BenchmarkObserve(b *testing.B) {
	c := metrics.New(metrics.Config{}).Cell(metrics.Labels{API: "a", Stage: "s", Route: "r"})
	b.ReportAllocs()
	for b.Loop() {
		c.Observe(200, 3*time.Millisecond)
		c.ObserveIntegration(2 * time.Millisecond)
	}
}

// BenchmarkScrape is a scrape when all routes that may be counted one by one are in use.
func BenchmarkScrape(b *testing.B) {
	m := metrics.New(metrics.Config{})
	for i := range metrics.DefaultMaxRoutes {
		c := m.Cell(metrics.Labels{API: "petstore", Stage: "v1", Route: fmt.Sprintf("GET /pets/%d", i)})
		c.Observe(200, time.Millisecond)
		c.ObserveIntegration(time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(scrape(b, m))), "bytes")
	}
}
