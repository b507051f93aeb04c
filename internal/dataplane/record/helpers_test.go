package record_test

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/telemetry/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var variable = regexp.MustCompile(`\$context\.([A-Za-z0-9.]*[A-Za-z0-9])`)

// format reads a format of $context variables only, as package compile does.
func format(t testing.TB, text string, isJSON bool) *snapshot.LogFormat {
	t.Helper()
	known := snapshot.ContextVars()
	f := &snapshot.LogFormat{JSON: isJSON}
	for text != "" {
		at := variable.FindStringSubmatchIndex(text)
		if at == nil {
			f.Text = append(f.Text, snapshot.Lit(text)...)
			break
		}
		f.Text = append(f.Text, snapshot.Lit(text[:at[0]])...)
		name := text[at[2]:at[3]]
		v, ok := known[name]
		if !ok {
			t.Fatalf("$context.%s is not known", name)
		}
		f.Text = append(f.Text, snapshot.Segment{Source: snapshot.Context, Name: name, Var: v})
		text = text[at[1]:]
	}
	return f
}

// sink is a disk that can be slow, broken or stopped.
type sink struct {
	mu   sync.Mutex
	got  bytes.Buffer
	fail error         // when set, nothing is written
	hang chan struct{} // when set, Write waits until it is closed
	part int           // when set, the next Write takes only so many bytes and fails
}

var errFull = errors.New("no space left on device")

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	hang := s.hang
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.part > 0 {
		n := min(s.part, len(b))
		s.part = 0
		s.got.Write(b[:n])
		return n, errFull
	}
	if s.fail != nil {
		return 0, s.fail
	}
	return s.got.Write(b)
}

func (s *sink) set(f func(s *sink)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *sink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

func openLog(t testing.TB, cfg record.LogConfig) *record.Log {
	t.Helper()
	if cfg.Flush == 0 {
		cfg.Flush = time.Millisecond
	}
	l, err := record.OpenLog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// clock stands 250 ms after start.
func clock() time.Time { return start.Add(250 * time.Millisecond) }

func petstore() *snapshot.Stage {
	s := &snapshot.Stage{ID: "petstore/v1", Name: "v1", API: &snapshot.API{ID: "petstore", Name: "Petstore"}}
	for _, path := range []string{"/pets", "/pets/{id}"} {
		s.AllRoutes = append(s.AllRoutes, &snapshot.Route{
			Key: "GET " + path, ID: s.ID + "/GET " + path, Method: "GET", Path: path, ResourceID: "r1", Stage: s,
		})
	}
	return s
}

// serving is a snapshot of the stages with all their routes.
func serving(stages ...*snapshot.Stage) *snapshot.Snapshot {
	s := &snapshot.Snapshot{}
	for _, stage := range stages {
		for _, route := range stage.AllRoutes {
			route.Index = len(s.Routes)
			s.Routes = append(s.Routes, route)
		}
	}
	return s
}

// newExchange is an exchange that was answered by a backend.
func newExchange(route *snapshot.Route) *exchange.Exchange {
	x := &exchange.Exchange{}
	x.Reset()
	x.NewIDs()
	x.Request, x.Response = &fasthttp.Request{}, &fasthttp.Response{}
	x.Request.Header.DisableNormalizing()
	x.Request.Header.SetMethod("GET")
	x.Request.SetRequestURI("/v1/pets/7?q=1")
	x.Request.Header.SetHost("api.example.com")
	x.Request.Header.SetUserAgent("curl/8.5.0")
	x.Response.SetBodyString(`{"id":7}`)
	x.ClientIP = netip.MustParseAddr("192.0.2.7")
	x.Started = start
	if route != nil {
		x.Route, x.Stage = route, route.Stage
	}
	x.Backend.Called, x.Backend.Status, x.Backend.Latency = true, 200, 200*time.Millisecond
	return x
}

func do(t testing.TB, s *record.Step, x *exchange.Exchange) {
	t.Helper()
	if err := s.Do(x); err != nil {
		t.Fatal(err)
	}
}

// one records a single exchange and gives its line.
func one(t *testing.T, f *snapshot.LogFormat, x *exchange.Exchange) string {
	t.Helper()
	out := &sink{}
	log := openLog(t, record.LogConfig{Output: out})
	r := record.New(record.Config{Log: log, Metrics: metrics.New(metrics.Config{}), Format: f, Now: clock})
	served := &snapshot.Snapshot{}
	if x.Stage != nil {
		served = serving(x.Stage)
	}
	do(t, r.All(served), x)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return out.text()
}

// scrape gives the samples of Gatehouse's own metrics.
func scrape(t *testing.T, m *metrics.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err, string(b))
	}
	samples := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if i := strings.LastIndexByte(line, ' '); strings.HasPrefix(line, "gatehouse_") && i > 0 {
			samples[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return samples
}

// eventually waits for what another goroutine is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never came true: %s", what)
}
