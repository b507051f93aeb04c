package management_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"gatehouse/internal/telemetry/management"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var swapped = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// state is a gateway that can be in any state.
type state struct {
	snapshot management.Snapshot
	log      management.Finding
}

func (s *state) config() management.Config {
	return management.Config{
		Addr:     "127.0.0.1:0",
		Snapshot: func() management.Snapshot { return s.snapshot },
		Checks:   []management.Check{{Name: "accessLog", Find: func() management.Finding { return s.log }}},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "gatehouse_count_total 1\n")
		}),
		Now: func() time.Time { return swapped.Add(90 * time.Second) },
	}
}

func get(s *management.Server, method, path string) (int, string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, w.Body.String()
}

func TestHealth(t *testing.T) {
	type object = map[string]any
	ok := object{"accessLog": object{"ok": true}}
	snap := object{"revision": 3.0, "swapped": "2026-07-01T12:00:00Z", "ageSeconds": 90.0, "reloadFailures": 0.0}
	for _, tc := range []struct {
		name   string
		change func(*state, *management.Server)
		health int
		want   object
		ready  int
	}{
		{
			"all is well", func(*state, *management.Server) {}, 200,
			object{"status": "ok", "snapshot": snap, "checks": ok},
			200,
		},
		{
			"nothing served yet", func(s *state, _ *management.Server) { s.snapshot = management.Snapshot{} }, 503,
			object{"status": "starting", "checks": ok},
			503,
		},
		{
			"the last reload was refused", func(s *state, _ *management.Server) {
				s.snapshot.ReloadError = []string{`petstore.yaml:41:9: error [open-operation]: GET /pets is open`}
				s.snapshot.ReloadFailures = 2
			}, 200,
			object{
				"status": "degraded", "checks": ok,
				"problems": []any{"the last reload was refused; the definitions from before are served"},
				"snapshot": object{
					"revision": 3.0, "swapped": "2026-07-01T12:00:00Z", "ageSeconds": 90.0, "reloadFailures": 2.0,
					"reloadError": []any{`petstore.yaml:41:9: error [open-operation]: GET /pets is open`},
				},
			},
			200,
		},
		{
			"a check found something", func(s *state, _ *management.Server) {
				s.log = management.Finding{Problem: "lines are dropped", Detail: map[string]int{"dropped": 7}}
			}, 200,
			object{
				"status": "degraded", "snapshot": snap, "problems": []any{"accessLog: lines are dropped"},
				"checks": object{"accessLog": object{
					"ok": false, "problem": "lines are dropped", "detail": object{"dropped": 7.0},
				}},
			},
			200,
		},
		{
			"shutting down", func(_ *state, s *management.Server) { s.Drain() }, 200,
			object{"status": "stopping", "snapshot": snap, "checks": ok},
			503,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := &state{snapshot: management.Snapshot{Revision: 3, Swapped: swapped}}
			s := management.New(st.config())
			tc.change(st, s)
			code, body := get(s, "GET", "/healthz")
			var got object
			if err := json.Unmarshal([]byte(body), &got); err != nil || code != tc.health {
				t.Fatalf("%d, %v in %s", code, err, body)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if code, body := get(s, "GET", "/readyz"); code != tc.ready {
				t.Errorf("/readyz: %d %s", code, body)
			}
		})
	}
}

func TestDetailThatIsNoJSON(t *testing.T) {
	st := &state{snapshot: management.Snapshot{Swapped: swapped}, log: management.Finding{Detail: func() {}}}
	code, body := get(management.New(st.config()), "GET", "/healthz")
	if code != 500 || !json.Valid([]byte(body)) {
		t.Errorf("%d %s", code, body)
	}
}

func TestRoutes(t *testing.T) {
	s := management.New((&state{}).config())
	for _, tc := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/", 200, "/healthz"},
		{"GET", "/metrics", 200, "gatehouse_count_total 1"},
		{"HEAD", "/metrics", 200, ""},
		{"POST", "/metrics", 405, ""},
		{"GET", "/other", 404, ""},
	} {
		if code, body := get(s, tc.method, tc.path); code != tc.code || !strings.Contains(body, tc.body) {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, code, body)
		}
	}
}

func TestStartAndShutdown(t *testing.T) {
	st := &state{snapshot: management.Snapshot{Revision: 1, Swapped: swapped}}
	s := management.New(st.config())
	if s.Addr() != nil {
		t.Error("an address before Start")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	addr := s.Addr().String()
	other := st.config()
	other.Addr = addr
	if err := management.New(other).Start(); err == nil || !strings.Contains(err.Error(), "free address") {
		t.Errorf("the same address twice: %v", err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 400 { // more than there is room for at once
		resp, err := client.Get("http://" + addr + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("still listening")
	}
}
