package dataplane_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/compile"
	"gatehouse/internal/dataplane"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/integrate/httpproxy"
	"gatehouse/internal/dataplane/integrate/upstream"
	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/publish"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/telemetry/metrics"
)

// everything is a gateway with API keys, a plan with rate and quota, stage limits, metrics and an access log.
const everything = `
apis:
  bench: {api_key: true, routes: {"GET /g0/r0": "http://127.0.0.1:9/g0/r0"}, stages: {v1: {throttle: {rate: 1e9, burst: 1000000000}}}}
usage_plans:
  gold: {stages: [bench/v1], throttle: {rate: 1e9, burst: 1000000000}, quota: {limit: 1000000000, period: DAY}}
api_keys:
  k0: {value: "key-0000000000000000000000000", plans: [gold]}
`

// read compiles a gatehouse.yaml.
func read(t testing.TB, yaml string) *snapshot.Snapshot {
	t.Helper()
	return readFiles(t, map[string]string{"gatehouse.yaml": yaml})
}

// readFiles compiles a gatehouse.yaml with the files beside it.
func readFiles(t testing.TB, files map[string]string) *snapshot.Snapshot {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := publish.Read(filepath.Join(dir, "gatehouse.yaml"), os.LookupEnv, time.Now())
	if r.Diagnostics.HasErrors() {
		t.Fatal(r.Diagnostics)
	}
	return r.Snapshot
}

// answering is a backend that answers at once.
type answering struct{ body []byte }

func (a answering) Call(c *upstream.Call) error {
	c.Response.SetStatusCode(200)
	c.Response.Header.SetContentType("application/json")
	c.Response.SetBody(a.body)
	return nil
}

// plane is a whole data plane but for sockets.
func plane(t testing.TB, yaml string) *dataplane.Dataplane {
	t.Helper()
	ctx := context.Background()
	ledger, err := throttle.Open(ctx, throttle.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close(ctx) })
	log, err := record.OpenLog(record.LogConfig{File: filepath.Join(t.TempDir(), "access.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	format, _ := compile.LogFormat("json")
	pools := dataplane.NewPools()
	t.Cleanup(pools.Close)
	backend := answering{[]byte(strings.Repeat("x", 1024))}
	d := dataplane.New(dataplane.Parts{
		Ledger:   ledger,
		Recorder: record.New(record.Config{Log: log, Metrics: metrics.New(metrics.Config{}), Format: format, Now: time.Now}),
		Proxy:    httpproxy.New(httpproxy.Config{Upstream: func(*snapshot.Upstream) httpproxy.Caller { return backend }}),
		Pools:    pools,
	})
	d.Swap(read(t, yaml))
	return d
}

// request is what wrk sends, and a little more.
func request() *exchange.Exchange {
	var rc fasthttp.RequestCtx
	h := &rc.Request.Header
	h.DisableNormalizing()
	h.SetRequestURI("/g0/r0")
	h.SetHost("127.0.0.1:8080")
	h.Set("x-api-key", "key-0000000000000000000000000")
	h.Set("Accept", "*/*")
	h.SetUserAgent("curl/8.0")
	x := &exchange.Exchange{}
	prepare(x, &rc.Request, &rc.Response)
	return x
}

// prepare does what listen does.
func prepare(x *exchange.Exchange, req *fasthttp.Request, resp *fasthttp.Response) {
	x.Reset()
	resp.Reset()
	resp.Header.DisableNormalizing()
	x.Request, x.Response = req, resp
	x.ClientIP = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	x.Started = time.Now()
	x.NewIDs()
}

func TestTheWholeWayDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates by itself")
	}
	d := plane(t, everything)
	x := request()
	serve := func() {
		prepare(x, x.Request, x.Response)
		d.Serve(x)
	}
	for range 100 {
		serve()
	}
	if x.Response.StatusCode() != 200 || x.Refusal != nil {
		t.Fatalf("status %d: %v", x.Response.StatusCode(), x.Refusal)
	}
	if n := testing.AllocsPerRun(1000, serve); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkTheWholeWay(b *testing.B) {
	d := plane(b, everything)
	x := request()
	b.ReportAllocs()
	for b.Loop() {
		prepare(x, x.Request, x.Response)
		d.Serve(x)
	}
	if x.Response.StatusCode() != 200 {
		b.Fatal(x.Response.StatusCode())
	}
}

func BenchmarkSwap(b *testing.B) {
	var routes strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&routes, "      \"GET /g%d/{id}\": \"http://127.0.0.1:9/g/{id}\"\n", i)
	}
	d := plane(b, everything)
	s := read(b, "apis:\n  bench:\n    public: true\n    routes:\n"+routes.String())
	for b.Loop() {
		d.Swap(s)
	}
}
