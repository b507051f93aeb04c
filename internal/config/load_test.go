package config_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/config"
	"gatehouse/internal/definition"
)

// load writes a config into a folder of its own and loads it.
func load(t testing.TB, text string) (*config.File, definition.Diagnostics) {
	t.Helper()
	return config.Load(write(t, t.TempDir(), "gatehouse.yaml", text), environment)
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// messages gives the diagnostics without their places' file.
func messages(diags definition.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%d:%d %s %s: %s\n", d.Place.Line, d.Place.Column, d.Severity, d.Code, d.Message)
	}
	return b.String()
}

const onlyRoute = "apis: {a: {public: true, routes: {\"GET /\": \"http://h/\"}}}\n"

func TestDefaults(t *testing.T) {
	file, diags := load(t, onlyRoute)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	wantListen := config.Listen{
		HTTP: ":8080", HeaderTimeout: 10 * time.Second, BodyTimeout: time.Minute, IdleTimeout: 310 * time.Second,
		MaxConnections: 100_000,
	}
	if diff := cmp.Diff(wantListen, file.Listen); diff != "" {
		t.Error(diff)
	}
	if file.Management.Listen != "127.0.0.1:8081" || file.Log.Level != slog.LevelInfo || file.Log.Format != "json" ||
		file.ShutdownTimeout != 30*time.Second || file.Account != nil || file.Data != filepath.Join(filepath.Dir(file.Path), "data") {
		t.Errorf("other defaults: %+v", file)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("this system has no named pipes:", err)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "missing.yaml"), "no such file or directory"},
		{"folder", dir, "it is not a regular file"},
		{"pipe", pipe, "it is not a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, diags := config.Load(tt.path, environment)
			if file == nil || !diags.HasErrors() || !strings.Contains(messages(diags), tt.want) {
				t.Errorf("got %v, want %q", diags, tt.want)
			}
			if diff := cmp.Diff([]string{tt.path}, file.Files); diff != "" {
				t.Error("a file that appears later has to be looked at:", diff)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "unix", "line one\nline two\n")
	write(t, dir, "windows", "text\r\n")
	write(t, dir, "two-breaks", "text\n\n")
	write(t, dir, "reference", "${HERE}")
	write(t, dir, "most", strings.Repeat("x", 1<<20))
	write(t, dir, "more", strings.Repeat("x", 1<<20+1))
	absolute := write(t, t.TempDir(), "elsewhere", "there")
	for _, tt := range []struct{ name, value, want string }{
		{"none", `"$context.path $ {a} $$"`, "$context.path $ {a} $$"},
		{"variable", `"<${HERE}>"`, "<here>"},
		{"several", `"${HERE}${HERE}/${HERE}"`, "herehere/here"},
		{"escaped", `"$${HERE} $$${HERE}"`, "${HERE} $${HERE}"},
		{"stage variable stays", `"${stageVariables.x}"`, "${stageVariables.x}"},
		{"yaml in a variable is text", `"${YAML}"`, "{a:1,b:[hunter2,hunter2]}"},
		{"file", `"${file:unix}"`, "line one\nline two"},
		{"file with a carriage return", `"${file:windows}"`, "text"},
		{"only the last line break is cut", `"${file:two-breaks}"`, "text\n"},
		{"file's references stay", `"${file:reference}"`, "${HERE}"},
		{"absolute file", `"${file:` + absolute + `}"`, "there"},
		{"largest file", `"${file:most}"`, strings.Repeat("x", 1<<20)},
		{"too large a file", `"${file:more}"`, "a"}, // an error: the name stays the id
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, dir, "gatehouse.yaml", "apis: {a: {public: true, name: "+tt.value+", routes: {\"GET /\": \"http://h/\"}}}")
			file, diags := config.Load(path, environment)
			if got := diags.HasErrors(); got != (tt.want == "a") {
				t.Errorf("diagnostics: %v", diags)
			}
			if got := file.REST[0].Name; got != tt.want {
				t.Errorf("got %.99q, want %.99q", got, tt.want)
			}
		})
	}
}

func TestManyReferencesAreBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "most", strings.Repeat("x", 1<<20))
	path := write(t, dir, "gatehouse.yaml", onlyRoute+`data: "`+strings.Repeat("${file:most}", 100)+`"`)
	_, diags := config.Load(path, environment)
	if !strings.Contains(messages(diags), "bring in more than") {
		t.Error(messages(diags))
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "secret", strings.Repeat("k", 20))
	path := write(t, dir, "gatehouse.yaml", `
apis: {a: {openapi: missing.yaml}, b: {openapi: missing.yaml}}
upstreams: {h: {servers: ["h:1"], ca: ca.pem}}
usage_plans: {p: {stages: [a/default]}}
api_keys: {k: {value: "${file:secret}", plans: [p]}, l: {value: "${file:secret}", plans: [p]}}
`)
	file, _ := config.Load(path, environment)
	want := []string{path, filepath.Join(dir, "missing.yaml"), filepath.Join(dir, "ca.pem"), filepath.Join(dir, "secret")}
	if diff := cmp.Diff(want, file.Files); diff != "" {
		t.Error(diff)
	}
}

func TestAccessOfRoutes(t *testing.T) {
	for _, tt := range []struct {
		name, api, route string
		access           uint8
		needsKey         bool
	}{
		{"nothing said", "unserved: refuse", "", 0, false},
		{"public API", "public: true", "", 1, false},
		{"API with a key", "api_key: true", "", 2, true},
		{"public route", "public: false", "public: true", 1, false},
		{"route with a key", "unserved: refuse", "api_key: true", 2, true},
		{"route with a key in a public API", "public: true", "api_key: true", 2, true},
		{"public route in an API with a key", "api_key: true", "public: true", 1, false},
		{"route that is not public in a public API", "public: true", "public: false", 0, false},
		{"route without the API's key", "api_key: true", "api_key: false", 0, false},
		{"route that says both twice", "api_key: true", "api_key: false, public: true", 1, false},
		{"route that only takes the other back", "api_key: true", "public: false", 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, diags := load(t, fmt.Sprintf("apis: {a: {name: a, %s\n routes: {\"GET /\": {backend: \"http://h/\", %s}}}}",
				tt.api+",", tt.route))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			m := file.REST[0].Resources[0].Methods[0]
			if uint8(m.Access) != tt.access || m.APIKeyRequired != tt.needsKey || file.REST[0].Public {
				t.Errorf("access %d, key %t, API public %t", m.Access, m.APIKeyRequired, file.REST[0].Public)
			}
		})
	}
}

func TestLimitsOfStageVariables(t *testing.T) {
	variables := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "v%d: x, ", i)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, variables string
		isError         bool
	}{
		{"hundred", variables(100), false},
		{"more", variables(101), true},
		{"longest name", strings.Repeat("n", 64) + ": x", false},
		{"longer name", strings.Repeat("n", 65) + ": x", true},
		{"longest value", "v: " + strings.Repeat("x", 512), false},
		{"longer value", "v: " + strings.Repeat("x", 513), true},
		{"empty value", `v: ""`, false},
		{"empty name", `"": x`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := load(t, strings.Replace(onlyRoute, "public: true", "public: true, stages: {s: {variables: {"+tt.variables+"}}}", 1))
			if diags.HasErrors() != tt.isError {
				t.Error(diags)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	file, diags := load(t, `{"apis": {"a": {"public": true, "routes": {"GET /": "http://h/"}}}, "lisen": 1}`)
	want := "1:69 error unknown-key: the key \"lisen\" is not known here\n"
	if diff := cmp.Diff(want, messages(diags)); diff != "" {
		t.Error(diff)
	}
	if len(file.REST) != 1 {
		t.Error("the API is not there")
	}
}

func TestAnchors(t *testing.T) {
	file, diags := load(t, `
apis:
  a: {public: true, routes: {"GET /": "http://h/"}, stages: {one: &stage {throttle: {rate: 1, burst: 2}}, two: *stage, three: {<<: *stage}}}
`)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, s := range file.REST[0].Stages {
		if s.Throttle == nil || s.Throttle.Burst != 2 {
			t.Errorf("stage %s has the throttle %v", s.Name, s.Throttle)
		}
	}
}

const document = `openapi: 3.0.1
info: {title: Pets, version: "1"}
paths:
  /pets:
    get:
      security: []
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://pets.internal/pets"%s}
`

func TestDocumentAsConfig(t *testing.T) {
	for _, tt := range []struct{ name, file, integration, id, stage string }{
		{"rest", "Pet Store_v1.yaml", "", "pet-store-v1", "default"},
		{"http", "pets.yml", `, payloadFormatVersion: "2.0"`, "pets", "$default"},
		{"name without letters", "...yaml", "", "api", "default"},
		{"long name", strings.Repeat("n", 80) + ".yaml", "", strings.Repeat("n", 64), "default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, t.TempDir(), tt.file, fmt.Sprintf(document, tt.integration))
			file, diags := config.Load(path, environment)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			want := []definition.Mapping{{
				Host: "*", BasePath: "/", API: tt.id, Stage: tt.stage, Place: definition.Place{File: path, Line: 1, Column: 1},
			}}
			if diff := cmp.Diff(want, file.Mappings); diff != "" {
				t.Error(diff)
			}
			var ids, stages []string
			for _, a := range file.REST {
				ids, stages = append(ids, a.ID), append(stages, a.Stages[0].Name)
			}
			for _, a := range file.HTTP {
				ids, stages = append(ids, a.ID), append(stages, a.Stages[0].Name)
			}
			if !slices.Equal(ids, []string{tt.id}) || !slices.Equal(stages, []string{tt.stage}) {
				t.Errorf("APIs %q, stages %q", ids, stages)
			}
		})
	}
}

func TestBrokenDocument(t *testing.T) {
	path := write(t, t.TempDir(), "pets.yaml", "openapi: 9.9.9\npaths: 5\n")
	file, diags := config.Load(path, environment)
	if !diags.HasErrors() || len(file.Mappings) != 0 && len(file.REST)+len(file.HTTP) == 0 {
		t.Error(diags, file.Mappings)
	}
}

func TestDocumentOfAnAPI(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "pets.yaml", fmt.Sprintf(document, ""))
	path := write(t, dir, "gatehouse.yaml", `
apis:
  pets: {openapi: pets.yaml, name: My pets, disable_execute_api_endpoint: true, stages: {v1: {methods: {"GET /pest": {}, "GET /pets": {}}}}}
`)
	file, diags := config.Load(path, environment)
	want := "3:105 error unknown-method: the API \"pets\" has no \"GET /pest\"\n"
	if diff := cmp.Diff(want, messages(diags)); diff != "" {
		t.Error(diff)
	}
	a := file.REST[0]
	if a.ID != "pets" || a.Name != "My pets" || !a.DisableExecuteAPIEndpoint || a.Stages[0].Name != "v1" {
		t.Errorf("got %+v", a)
	}
	if diff := cmp.Diff([]string{path, filepath.Join(dir, "pets.yaml")}, file.Files); diff != "" {
		t.Error(diff)
	}
}

// TestDocumentWithErrors: what an unreadable document would have had is not missed a second time.
func TestDocumentWithErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "pets.yaml", "openapi: 3.0.1\npaths: {/pets: {get: {")
	path := write(t, dir, "gatehouse.yaml", `
apis: {pets: {openapi: pets.yaml, stages: {v1: {methods: {"GET /pets": {}}}}}}
domains: {"*": {/: pets/v1}}
`)
	_, diags := config.Load(path, environment)
	if len(diags) != 1 || diags[0].Place.File != filepath.Join(dir, "pets.yaml") {
		t.Error(diags)
	}
}

// TestDocumentInPart: an operation may be missing because of an error that is reported already.
func TestDocumentInPart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "pets.yaml", fmt.Sprintf(document, "")+"  no-slash: {get: {responses: {}}}\n")
	path := write(t, dir, "gatehouse.yaml", `
apis: {pets: {openapi: pets.yaml, stages: {v1: {methods: {"GET /no-slash": {}}}}}}
`)
	file, diags := config.Load(path, environment)
	if len(file.REST) != 1 || !diags.HasErrors() || strings.Contains(messages(diags), "unknown-method") {
		t.Errorf("APIs %v, diagnostics %v", file.REST, diags)
	}
}
