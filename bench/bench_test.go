package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestParseCPUs(t *testing.T) {
	for _, tt := range []struct {
		name, list string
		want       []int
		wantErr    bool
	}{
		{name: "range", list: "0-1", want: []int{0, 1}},
		{name: "single and range", list: "0,2-4", want: []int{0, 2, 3, 4}},
		{name: "empty", list: "", wantErr: true},
		{name: "backwards", list: "3-1", wantErr: true},
		{name: "endless", list: "0-99999999", wantErr: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseCPUs(tt.list)
			if (err != nil) != tt.wantErr {
				t.Fatalf("error %v, want one: %v", err, tt.wantErr)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name    string
		args    []string
		want    options
		wantErr string
	}{
		{name: "none", want: options{rounds: 5, duration: 10 * time.Second, warmup: 2 * time.Second, reload: 30 * time.Second}},
		{
			name: "rows", args: []string{"-rows", "tcp,nginx", "-rounds", "1", "-duration", "3s"},
			want: options{
				rows: []string{"tcp", "nginx"}, rounds: 1,
				duration: 3 * time.Second, warmup: 2 * time.Second, reload: 30 * time.Second,
			},
		},
		{name: "unknown row", args: []string{"-rows", "apache"}, wantErr: `no row is called "apache"`},
		{name: "part of a second", args: []string{"-duration", "1500ms"}, wantErr: "whole number of seconds"},
		{name: "no round", args: []string{"-rounds", "0"}, wantErr: "at least 1"},
		{name: "left over", args: []string{"load"}, wantErr: "left over"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseOptions(tt.args)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want %q in it", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// stream is a connection whose peer sends all of in and keeps what it is sent.
type stream struct {
	io.Reader
	io.Writer
}

func TestBackendAnswersEachRequestOnce(t *testing.T) {
	request := "GET / HTTP/1.1\r\nHost: b\r\n\r\n"
	for _, tt := range []struct {
		name string
		in   io.Reader
		want int
	}{
		{"one", strings.NewReader(request), 1},
		{"three at once", strings.NewReader(strings.Repeat(request, 3)), 3},
		{"two byte by byte", iotest.OneByteReader(strings.NewReader(request + request)), 2},
		{"an unfinished one", strings.NewReader(request + "GET / HTTP/1.1\r\n"), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := answerAll(stream{tt.in, &out}, []byte("answer;")); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(out.String(), "answer;"); got != tt.want {
				t.Errorf("%d answers, want %d", got, tt.want)
			}
		})
	}
	if err := answerAll(stream{strings.NewReader(strings.Repeat("x", 20<<10)), io.Discard}, nil); err == nil {
		t.Error("a header over the buffer is no error")
	}
}

func TestForwardCarriesBothWays(t *testing.T) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	go func() {
		conn, err := backend.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = answerAll(conn, []byte("answer")) // the test reads what came of it
	}()
	client, server := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		forward(server, backend.Addr().String())
	}()
	if _, err := client.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("answer"))
	if _, err := io.ReadFull(client, got); err != nil {
		t.Fatal(err)
	}
	if string(got) != "answer" {
		t.Errorf("got %q", got)
	}
	client.Close()
	<-ended
}

func TestGatewayConfigIsYAML(t *testing.T) {
	for _, tt := range []struct {
		name string
		g    gateway
		want map[string]any
	}{
		{
			name: "public", g: gateway{routes: 1},
			want: map[string]any{
				"public": true, "kind": "rest", "routes": map[string]any{"GET /g0/r0": "http://b/g0/r0"},
			},
		},
		{name: "with keys", g: gateway{routes: 10, keys: 10}, want: map[string]any{"openapi": "bench.json"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.g.backend, tt.g.addr, tt.g.management, tt.g.dir = "http://b", "127.0.0.1:1", "127.0.0.1:2", "/dir"
			var got struct {
				Listen map[string]string                    `yaml:"listen"`
				Log    map[string]map[string]string         `yaml:"log"`
				APIs   map[string]map[string]any            `yaml:"apis"`
				Keys   map[string]struct{ Plans []string }  `yaml:"api_keys"`
				Plans  map[string]struct{ Stages []string } `yaml:"usage_plans"`
			}
			if err := yaml.Unmarshal([]byte(tt.g.config()), &got); err != nil {
				t.Fatalf("%v in\n%s", err, tt.g.config())
			}
			api := got.APIs["bench"]
			delete(api, "stages")
			if diff := cmp.Diff(tt.want, api); diff != "" {
				t.Error(diff)
			}
			wantLog := "off"
			if tt.g.keys > 0 {
				wantLog = "/dir/access.log"
			}
			if log := got.Log["access"]["file"]; log != wantLog || got.Listen["http"] != "127.0.0.1:1" {
				t.Errorf("access log %q, want %q; listen %v", log, wantLog, got.Listen)
			}
			if len(got.Keys) != tt.g.keys || (tt.g.keys > 0) != (len(got.Plans) == 1) {
				t.Errorf("%d keys, %d plans", len(got.Keys), len(got.Plans))
			}
		})
	}
}

func TestOpenAPIHasEveryTarget(t *testing.T) {
	g := gateway{routes: 200, keys: 2000, backend: "http://b"}
	text, err := openAPI(g.routes, g.backend)
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Paths map[string]any }
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	paths, keys := map[string]bool{}, map[string]bool{}
	for _, target := range g.targets() {
		path := strings.Replace(target.path, "/items/42", "/items/{id}", 1)
		if _, ok := document.Paths[path]; !ok {
			t.Errorf("no operation for %s", path)
		}
		paths[path], keys[target.key] = true, true
	}
	if len(document.Paths) != 200 || len(paths) != 200 || len(keys) != 200 {
		t.Errorf("%d operations, %d paths asked for with %d keys, want 200 of each", len(document.Paths), len(paths), len(keys))
	}
	if !paths[fmt.Sprintf("/g0/r%d/items/{id}", 9)] {
		t.Error("no target with a path variable")
	}
}
