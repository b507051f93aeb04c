package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/definition"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/telemetry/metrics"
)

func TestDefaultFormat(t *testing.T) {
	x := newExchange(petstore().AllRoutes[1])
	var got map[string]any
	text := one(t, format(t, definition.LogFormatJSON, true), x)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	want := map[string]any{
		"requestId": string(x.ID()), "requestTime": "01/Jul/2026:12:00:00 +0000",
		"ip": "192.0.2.7", "apiKeyId": "-", "domainName": "api.example.com",
		"apiId": "petstore", "stage": "v1", "httpMethod": "GET", "path": "/v1/pets/7",
		"routeKey": "GET /pets/{id}",
		"status":   200.0, "responseLength": "8", "responseLatency": 250.0,
		"integrationStatus": "200", "integrationLatency": "200", "integrationError": "-",
		"errorType": "-", "userAgent": "curl/8.5.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if x.Latency != 250*time.Millisecond {
		t.Errorf("Latency %v", x.Latency)
	}
}

func TestCLFFormat(t *testing.T) {
	x := newExchange(petstore().AllRoutes[1])
	got := one(t, format(t, definition.LogFormatCLF, false), x)
	want := `192.0.2.7 - - [01/Jul/2026:12:00:00 +0000] "GET /v1/pets/7 HTTP/1.1" 200 8 ` +
		string(x.ID()) + " " + string(x.ExtendedID()) + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFormatsFit holds the named formats to AWS's limit and its demand for a request id.
func TestFormatsFit(t *testing.T) {
	for _, f := range []string{definition.LogFormatJSON, definition.LogFormatCLF} {
		if len(f) > 3<<10 || !strings.Contains(f, "$context.requestId") {
			t.Errorf("%d bytes: %s", len(f), f)
		}
	}
}

// TestEmpty records what is there when nothing was found out: even then each line is whole.
func TestEmpty(t *testing.T) {
	x := newExchange(nil)
	x.Request.Reset()
	x.Response.Reset()
	x.Backend.Called, x.Backend.Status = false, 0
	x.Started = start.Add(time.Hour) // a clock that was set back
	var got map[string]any
	text := one(t, format(t, definition.LogFormatJSON, true), x)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if got["routeKey"] != "-" || got["integrationLatency"] != "-" || got["responseLatency"] != 0.0 {
		t.Error(text)
	}
}

func TestOneLineWhateverComes(t *testing.T) {
	evil := []byte("a\r\n{\"forged\":1}\n\x00\x1b[2J\"\\,\"x\":\"")
	for _, tc := range []struct {
		name, format string
		json         bool
	}{
		{"JSON", `{"ua":"$context.identity.userAgent","m":"$context.error.message","q":$context.error.messageString}`, true},
		{"text", `$context.identity.userAgent $context.error.message`, false},
		{"a format of several lines", "{\n\"ua\":\r\n\"$context.identity.userAgent\"\n}\n", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newExchange(petstore().AllRoutes[0])
			x.Request.Header.SetUserAgentBytes(evil)
			x.Refusal, x.RefusalMessage = fault.New(fault.BadRequestBody, ""), string(evil)
			text := one(t, format(t, tc.format, tc.json), x)
			if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") || strings.ContainsAny(text, "\r\x00\x1b") {
				t.Errorf("not one line: %q", text)
			}
			if tc.json && !json.Valid([]byte(text)) {
				t.Errorf("not JSON: %q", text)
			}
		})
	}
}

func TestLongLinesAreCut(t *testing.T) {
	long := strings.Repeat("ä\"\t€", 4000)
	for _, tc := range []struct {
		name, format string
		json         bool
	}{
		{"JSON", `{"a":"$context.identity.userAgent","b":"$context.requestId","c":$context.error.messageString}`, true},
		{"text", "$context.identity.userAgent $context.requestId $context.error.message", false},
		{"escapes", `{"a":"$context.error.message","b":"x$context.error.message","c":"$context.identity.userAgent"}`, true},
		{"many values", `{"a":["` + strings.Repeat(`$context.identity.userAgent","`, 100) + `"]}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newExchange(petstore().AllRoutes[0])
			x.Request.Header.SetUserAgent(long)
			x.Refusal, x.RefusalMessage = fault.New(fault.BadRequestBody, ""), long
			if tc.name == "escapes" {
				x.RefusalMessage = strings.Repeat("\x01\x01y", 3000)
			}
			text := one(t, format(t, tc.format, tc.json), x)
			if len(text) > record.MaxLine+1 || !strings.Contains(text, "...") {
				t.Errorf("%d bytes: %.80q", len(text), text)
			}
			if tc.json && !json.Valid([]byte(text)) {
				t.Errorf("not JSON: %q", text)
			}
			if strings.Contains(tc.format, "requestId") && !strings.Contains(text, string(x.ID())) {
				t.Error("a short value was cut")
			}
		})
	}
}

func TestFormatOfStage(t *testing.T) {
	with, without := petstore(), petstore()
	with.AccessLog = format(t, "own $context.stage", false)
	out := &sink{}
	log := openLog(t, record.LogConfig{Output: out})
	r := record.New(record.Config{
		Log: log, Metrics: metrics.New(metrics.Config{}), Format: format(t, "config $context.status", false), Now: clock,
	})
	step := r.All(serving(with, without))
	do(t, step, newExchange(with.AllRoutes[0]))
	do(t, step, newExchange(without.AllRoutes[0]))
	x := newExchange(nil)
	do(t, step, x)
	x.Stage = with
	do(t, step, x)
	do(t, step, x)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	want := "own v1\nconfig 200\nconfig 200\nown v1\nown v1\n"
	if diff := cmp.Diff(want, out.text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCounts(t *testing.T) {
	m := metrics.New(metrics.Config{IntegrationErrors: []string{"timeout", "reset"}})
	r := record.New(record.Config{Metrics: m, Now: clock})
	stage := petstore()
	step := r.All(serving(stage))
	for range 3 {
		do(t, step, newExchange(stage.AllRoutes[0]))
	}
	x := newExchange(stage.AllRoutes[1]) // a timeout
	x.Response.SetStatusCode(504)
	x.Refusal, x.Backend.Err = fault.New(fault.IntegrationTimeout, ""), errors.New("too slow")
	do(t, step, x)
	x = newExchange(stage.AllRoutes[1]) // refused before the backend was called
	x.Response.SetStatusCode(429)
	x.Refusal, x.Backend.Called = fault.New(fault.Throttled, ""), false
	do(t, step, x)
	x = newExchange(nil) // no mapping
	x.Response.SetStatusCode(403)
	x.Refusal, x.Backend.Called = fault.New(fault.NoMapping, ""), false
	do(t, step, x)
	x.Stage = stage // no route
	do(t, step, x)

	got := scrape(t, m)
	const list200, pet5xx = `{api="petstore",route="GET /pets",stage="v1"}`, `{api="petstore",route="GET /pets/{id}",stage="v1"}`
	const noRoute, noStage = `{api="petstore",route="-",stage="v1"}`, `{api="-",route="-",stage="-"}`
	for name, want := range map[string]string{
		"gatehouse_count_total" + list200:                      "3",
		"gatehouse_4xx_total" + list200:                        "0",
		"gatehouse_5xx_total" + list200:                        "0",
		"gatehouse_latency_seconds_count" + list200:            "3",
		"gatehouse_latency_seconds_sum" + list200:              "0.75",
		"gatehouse_integration_latency_seconds_count" + pet5xx: "1",
		"gatehouse_count_total" + pet5xx:                       "2",
		"gatehouse_4xx_total" + pet5xx:                         "1",
		"gatehouse_5xx_total" + pet5xx:                         "1",
		"gatehouse_4xx_total" + noRoute:                        "1",
		"gatehouse_4xx_total" + noStage:                        "1",

		`gatehouse_refused_total{type="INTEGRATION_TIMEOUT"}`:   "1",
		`gatehouse_refused_total{type="THROTTLED"}`:             "1",
		`gatehouse_refused_total{type="NO_MAPPING"}`:            "2",
		`gatehouse_refused_total{type="WAF_FILTERED"}`:          "0",
		`gatehouse_integration_errors_total{kind="timeout"}`:    "1",
		`gatehouse_integration_errors_total{kind="reset"}`:      "0",
		"gatehouse_integration_latency_seconds_count" + noRoute: "",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestRetain(t *testing.T) {
	now := start
	m := metrics.New(metrics.Config{Keep: time.Minute, Now: func() time.Time { return now }})
	r := record.New(record.Config{Metrics: m, Now: clock})
	stage := petstore()
	step := r.All(serving(stage))
	for _, route := range stage.AllRoutes {
		do(t, step, newExchange(route))
	}
	x := newExchange(nil)
	do(t, step, x)
	x.Stage = stage
	do(t, step, x)
	r.Retain(&snapshot.Snapshot{Routes: stage.AllRoutes[:1]})
	counted := func() int {
		n := 0
		for name := range scrape(t, m) {
			if strings.HasPrefix(name, "gatehouse_count_total") {
				n++
			}
		}
		return n
	}
	if got := counted(); got != 4 {
		t.Errorf("just after the swap: %d routes, want all 4", got)
	}
	now = now.Add(time.Minute)
	if got := counted(); got != 3 {
		t.Errorf("a minute later: %d routes, want 3", got)
	}
}

// TestCellsOutliveSnapshots counts a route in one place, though its index changes from snapshot to snapshot.
func TestCellsOutliveSnapshots(t *testing.T) {
	m := metrics.New(metrics.Config{})
	r := record.New(record.Config{Metrics: m, Now: clock})
	before, other, after := petstore(), petstore(), petstore()
	other.API, other.Name = &snapshot.API{ID: "other"}, "v2"
	old := r.All(serving(before))
	do(t, old, newExchange(before.AllRoutes[1]))
	next := r.All(serving(other, after)) // GET /pets/{id} is the fourth route now
	do(t, next, newExchange(after.AllRoutes[1]))
	do(t, next, newExchange(other.AllRoutes[1]))
	do(t, old, newExchange(before.AllRoutes[1])) // was under way
	x := newExchange(nil)
	x.Stage = &snapshot.Stage{Name: "v9", API: after.API} // of no snapshot
	do(t, next, x)
	got := scrape(t, m)
	for name, want := range map[string]string{
		`gatehouse_count_total{api="petstore",route="GET /pets/{id}",stage="v1"}`: "3",
		`gatehouse_count_total{api="other",route="GET /pets/{id}",stage="v2"}`:    "1",
		`gatehouse_count_total{api="-",route="-",stage="-"}`:                      "1",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
}

// TestManyAtOnce is for the race detector, and holds the numbers and lines to each other.
func TestManyAtOnce(t *testing.T) {
	out := &sink{}
	m := metrics.New(metrics.Config{})
	log := openLog(t, record.LogConfig{Output: out})
	r := record.New(record.Config{Log: log, Metrics: m, Format: format(t, definition.LogFormatJSON, true), Now: clock})
	stage := petstore()
	served := serving(stage)
	step := r.All(served)
	var all sync.WaitGroup
	const workers, each = 8, 200
	for range workers {
		all.Go(func() {
			x, lost := newExchange(stage.AllRoutes[0]), newExchange(nil)
			lost.Stage = stage
			lost.Backend.Err = errors.New("down")
			for range each {
				do(t, step, x)
				do(t, step, lost)
			}
		})
	}
	all.Go(func() {
		for range 20 {
			r.Retain(served)
			do(t, r.All(served), newExchange(stage.AllRoutes[1]))
			log.Stats()
		}
	})
	all.Wait()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(out.text(), "\n"), 2*workers*each+20; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	got := scrape(t, m)
	for name, want := range map[string]string{
		`gatehouse_count_total{api="petstore",route="GET /pets",stage="v1"}`: "1600",
		`gatehouse_count_total{api="petstore",route="-",stage="v1"}`:         "1600",
		`gatehouse_integration_errors_total{kind="failed"}`:                  "1600",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
}

// everything is a recorder with log and metrics, and an exchange with all that a keyed request has.
func everything(tb testing.TB, cfg record.LogConfig) (*record.Recorder, *exchange.Exchange) {
	log := openLog(tb, cfg)
	r := record.New(record.Config{
		Log: log, Metrics: metrics.New(metrics.Config{}), Format: format(tb, definition.LogFormatJSON, true), Now: clock,
	})
	x := newExchange(petstore().AllRoutes[1])
	x.Key = &snapshot.Key{ID: "alice"}
	x.Use = &snapshot.PlanUse{Plan: &snapshot.Plan{ID: "free"}}
	return r, x
}

func TestNoAllocation(t *testing.T) {
	r, x := everything(t, record.LogConfig{Output: discard{}})
	step := r.All(serving(x.Stage))
	for _, tc := range []struct {
		name string
		set  func()
	}{
		{"served", func() {}},
		{"refused", func() {
			x.Refusal, x.RefusalMessage = fault.New(fault.Throttled, ""), "Too Many Requests"
			x.Response.SetStatusCode(429)
		}},
		{"no route", func() { x.Route = nil }},
		{"no stage", func() { x.Stage = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.set()
			if n := testing.AllocsPerRun(2000, func() { _ = step.Do(x) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// FuzzLine: whatever a client sends, one line comes out, within its bound, and of JSON it is JSON.
func FuzzLine(f *testing.F) {
	f.Add([]byte("curl/8.5.0"), "Forbidden", 1)
	f.Add([]byte("\"\\\n\x00\xff\xe2\x80"), "\u2028\x7f\\u00", 3000)
	jsonText := `{"a":"$context.identity.userAgent","m":"$context.error.message","s":$context.error.messageString,"p":"$context.path"}`
	text := `"$context.identity.userAgent" $context.error.message $context.path`
	f.Fuzz(func(t *testing.T, agent []byte, message string, times int) {
		times = max(1, min(times, 20_000/(len(agent)+len(message)+1)))
		for _, isJSON := range []bool{true, false} {
			x := newExchange(petstore().AllRoutes[0])
			x.Request.Header.SetUserAgentBytes(bytes.Repeat(agent, times))
			x.Refusal, x.RefusalMessage = fault.New(fault.BadRequestBody, ""), strings.Repeat(message, times)
			x.Request.SetRequestURI("/" + message)
			form := text
			if isJSON {
				form = jsonText
			}
			got := one(t, format(t, form, isJSON), x)
			if len(got) > record.MaxLine+1 || strings.IndexByte(got, '\n') != len(got)-1 {
				t.Fatalf("%d bytes: %q", len(got), got)
			}
			if isJSON && !json.Valid([]byte(got)) {
				t.Fatalf("not JSON: %q", got)
			}
		}
	})
}

// TestReference holds the reference to the default format.
func TestReference(t *testing.T) {
	b, err := os.ReadFile("../../../docs/reference/access-log.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(\w+)":"?(\$context[\w.]+)`).FindAllStringSubmatch(definition.LogFormatJSON, -1) {
		for _, want := range []string{"`" + m[1] + "`", "`" + m[2] + "`"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("docs/reference/access-log.md does not name %s", want)
			}
		}
	}
}
