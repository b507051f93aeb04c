package openapi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
	"gatehouse/internal/openapi"
)

// minimal is a REST document with one operation; %s is where more of it goes.
const minimal = `
openapi: 3.0.0
info: {title: t}
%s
paths:
  /a: {get: {security: [], x-amazon-apigateway-integration: {type: mock}}}
`

func read(text string, o openapi.Options) (openapi.API, definition.Diagnostics) {
	return openapi.Read("d.yaml", []byte(text), o)
}

// codes gives "severity code" of each diagnostic.
func codes(ds definition.Diagnostics) []string {
	var list []string
	for _, d := range ds {
		list = append(list, d.Severity.String()+" "+d.Code)
	}
	return list
}

func TestWholeDocument(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		o          openapi.Options
		want       []string
	}{
		{"clean", fmt.Sprintf(minimal, ""), openapi.Options{}, nil},
		{"no document", "apis: {}", openapi.Options{}, []string{"error not-openapi"}},
		{"a list", "[1]", openapi.Options{}, []string{"error not-openapi"}},
		{"empty", "", openapi.Options{}, []string{"error unreadable-document"}},
		{"broken", "openapi: [", openapi.Options{}, []string{"error unreadable-document"}},
		{"swagger 1.2", "swagger: '1.2'\npaths: {}", openapi.Options{}, []string{"error openapi-version"}},
		{"openapi 3.2", "openapi: 3.2.0\npaths: {}", openapi.Options{}, []string{"error openapi-version"}},
		{"openapi 3.00", "openapi: '3.00'\npaths: {}", openapi.Options{}, []string{"error openapi-version"}},
		{"openapi 2.0", "openapi: '2.0'\npaths: {}", openapi.Options{}, []string{"error openapi-version"}},
		{"swagger as a number", "swagger: 2.0\ninfo: {title: t}", openapi.Options{}, []string{"warning no-operations"}},
		{"unknown kind", fmt.Sprintf(minimal, ""), openapi.Options{Kind: "soap"}, []string{"error import-option"}},
		{"unknown base path mode", fmt.Sprintf(minimal, ""), openapi.Options{BasePath: "drop"}, []string{"error import-option"}},
		{"base path with a variable", fmt.Sprintf(minimal, "servers: [{url: 'http://h/{stage}'}]"), openapi.Options{BasePath: "prepend"}, []string{"error base-path"}},
		{
			"swagger as HTTP API", "swagger: '2.0'\ninfo: {title: t}\npaths: {/a: {get: {}}}",
			openapi.Options{Kind: "http", Backend: "http://b"},
			[]string{"error swagger-http-api"},
		},
		{"null values are absent", fmt.Sprintf(minimal, "security:\nservers:\ntags:\ncomponents:"), openapi.Options{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api, ds := read(tc.text, tc.o)
			if diff := cmp.Diff(tc.want, codes(ds)); diff != "" {
				t.Errorf("-want +got:\n%s\n%s", diff, text(ds))
			}
			readable := !slices.ContainsFunc(ds, func(d definition.Diagnostic) bool {
				return slices.Contains([]string{"not-openapi", "unreadable-document", "openapi-version"}, d.Code)
			})
			if got := (api.REST != nil) != (api.HTTP != nil); got != readable {
				t.Errorf("REST %v, HTTP %v", api.REST != nil, api.HTTP != nil)
			}
		})
	}
}

func TestKind(t *testing.T) {
	const op = "openapi: 3.0.0\ninfo: {title: t}\npaths: {/a: {get: {%s}}}\n%s"
	proxy := "x-amazon-apigateway-integration: {type: http_proxy, uri: 'http://b'%s}"
	for _, tc := range []struct{ name, operation, rest, option, want string }{
		{"nothing said", fmt.Sprintf(proxy, ""), "", "", "rest"},
		{"asked for", fmt.Sprintf(proxy, ""), "", "http", "http"},
		{"cors", fmt.Sprintf(proxy, ""), "x-amazon-apigateway-cors: {}", "", "http"},
		{"payload 2.0", fmt.Sprintf(proxy, ", payloadFormatVersion: 2.0"), "", "", "http"},
		{"payload 1.0", fmt.Sprintf(proxy, ", payloadFormatVersion: '1.0'"), "", "", "rest"},
		{"subtype", fmt.Sprintf(proxy, ", integrationSubtype: SQS-SendMessage"), "", "", "http"},
		{"shared integrations", fmt.Sprintf(proxy, ""), "components: {x-amazon-apigateway-integrations: {}}", "", "http"},
		{
			"jwt", fmt.Sprintf(proxy, ""),
			"components: {securitySchemes: {j: {x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {}}}}}", "", "http",
		},
		{"cors and mock", "x-amazon-apigateway-integration: {type: mock}", "x-amazon-apigateway-cors: {}", "", "rest mixed"},
		{"cors and policy", fmt.Sprintf(proxy, ""), "x-amazon-apigateway-cors: {}\nx-amazon-apigateway-policy: {}", "", "rest mixed"},
		{
			"a body schema says nothing", "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}, " + fmt.Sprintf(proxy, ""),
			"x-amazon-apigateway-cors: {}\ncomponents: {schemas: {A: {}}}", "", "http",
		},
		{"both, decided", "x-amazon-apigateway-integration: {type: mock}", "x-amazon-apigateway-cors: {}", "rest", "rest"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api, ds := read(fmt.Sprintf(op, tc.operation, tc.rest), openapi.Options{Kind: tc.option})
			got := "rest"
			if api.HTTP != nil {
				got = "http"
			}
			if slices.Contains(codes(ds), "warning mixed-kinds") {
				got += " mixed"
			}
			if got != tc.want {
				t.Errorf("got %s, want %s\n%s", got, tc.want, text(ds))
			}
		})
	}
}

func TestBasePath(t *testing.T) {
	for _, tc := range []struct{ name, head, mode, want string }{
		{"ignored", "openapi: 3.0.0\nservers: [{url: /v1}]", "", "/a"},
		{"prepended", "openapi: 3.0.0\nservers: [{url: 'https://h:8443/v1/x/'}]", "prepend", "/v1/x/a"},
		{"split", "openapi: 3.0.0\nservers: [{url: '//h/v1/x'}, {url: /other}]", "split", "/a"},
		{"split path", "openapi: 3.0.0\nservers: [{url: /v1/x}]", "split", "/x/a"},
		{"split of one part", "openapi: 3.0.0\nservers: [{url: /v1}]", "split", "/a"},
		{"variable first", "openapi: 3.0.0\nservers: [{url: /v1, variables: {basePath: {default: v9}}}]", "prepend", "/v9/a"},
		{"host alone", "openapi: 3.0.0\nservers: [{url: 'https://h'}]", "prepend", "/a"},
		{"swagger", "swagger: '2.0'\nbasePath: /v2", "prepend", "/v2/a"},
		{"none", "swagger: '2.0'", "prepend", "/a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api, ds := read(tc.head+"\ninfo: {title: t}\npaths: {/a: {get: {}}}", openapi.Options{BasePath: tc.mode, Backend: "http://b"})
			if api.REST == nil || len(api.REST.Resources) != 1 {
				t.Fatalf("no resource\n%s", text(ds))
			}
			res := api.REST.Resources[0]
			if res.Path != tc.want {
				t.Errorf("path %s, want %s", res.Path, tc.want)
			}
			if uri := res.Methods[0].Integration.URI.Value; uri != "http://b/a" {
				t.Errorf("the backend's URI %s has the base path", uri)
			}
		})
	}
}

// TestUnreadableIntegration: an operation whose integration cannot be read is not proxied elsewhere instead.
func TestUnreadableIntegration(t *testing.T) {
	api, ds := read("openapi: 3.0.0\ninfo: {title: t}\npaths: {/a: {get: {x-amazon-apigateway-integration: {$ref: '#/nowhere'}}}}",
		openapi.Options{Backend: "http://b"})
	if diff := cmp.Diff([]string{"error unresolved-reference"}, codes(ds)); diff != "" {
		t.Error(diff)
	}
	if api.REST.Resources[0].Methods[0].Integration != nil {
		t.Error("it got the backend's integration")
	}
}

// TestDuplicateKeys: of two equal keys the last one counts, and only it.
func TestDuplicateKeys(t *testing.T) {
	api, ds := read("openapi: 3.0.0\ninfo: {title: t}\npaths: {/a: {get: {}, put: {}}, /a: {post: {}}}", openapi.Options{Backend: "http://b"})
	if diff := cmp.Diff([]string{"warning duplicate-key"}, codes(ds)); diff != "" {
		t.Error(diff)
	}
	if got := api.REST.Resources[0].Methods; len(got) != 1 || got[0].HTTPMethod != "POST" {
		t.Errorf("got %+v, want POST alone", got)
	}
}

func TestReferencesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("openapi: 3.0.0\ninfo: {title: t}\ncomponents:\n  pathItems:\n    big:\n      get:\n        parameters:\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "        - {name: q%d, in: query}\n", i)
	}
	b.WriteString("paths:\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "  /p%d: {$ref: '#/components/pathItems/big'}\n", i)
	}
	start := time.Now()
	_, ds := read(b.String(), openapi.Options{Backend: "http://b"})
	if !slices.Contains(codes(ds), "error reference-expansion") {
		t.Errorf("no bound was reached: %v", codes(ds))
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
}

// TestCodes: each code that the tests' documents give is described, and each described one appears in them.
func TestCodes(t *testing.T) {
	seen := map[string]bool{"reference-expansion": true} // TestReferencesAreBounded
	word := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	documented := openapi.Codes()
	note := func(ds definition.Diagnostics) {
		for _, d := range ds {
			if seen[d.Code] = true; documented[d.Code] == "" {
				t.Errorf("the code %s is not described", d.Code)
			}
			if d.Message == "" || strings.HasSuffix(d.Message, ".") || d.Place.File == "" || !word.MatchString(d.Code) {
				t.Errorf("bad diagnostic: %+v", d)
			}
		}
	}
	files, _ := filepath.Glob("testdata/*.[yj]*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, ds := openapi.Read(file, data, optionsOf(t, data))
		note(ds)
	}
	for _, d := range []string{"x: 1", "swagger: '1'", "openapi: 3.0.0\nservers: [{url: '{a}'}]\nopenapi: 3.0.1", "openapi: 3.0.0"} {
		_, ds := read(d, openapi.Options{BasePath: "prepend"})
		note(ds)
	}
	for _, o := range []openapi.Options{{Kind: "x"}, {Kind: "http"}, {BasePath: "prepend"}} {
		_, ds := read("swagger: '2.0'\nbasePath: '{a}'", o)
		note(ds)
	}
	for code := range documented {
		if !seen[code] {
			t.Errorf("no test gives %s", code)
		}
	}
}

func TestDeterministic(t *testing.T) {
	data, err := os.ReadFile("testdata/oddities.yaml")
	if err != nil {
		t.Fatal(err)
	}
	api, ds := openapi.Read("x", data, openapi.Options{})
	want := text(ds) + dump(api)
	for range 20 {
		api, ds := openapi.Read("x", data, openapi.Options{})
		if diff := cmp.Diff(want, text(ds)+dump(api)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestJSONIsYAML: a document says the same in both forms.
func TestJSONIsYAML(t *testing.T) {
	for _, name := range []string{"rest", "plain", "security"} {
		data, err := os.ReadFile("testdata/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		root, err := doctree.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		o := optionsOf(t, data)
		yaml, dy := openapi.Read("x", data, o)
		json, dj := openapi.Read("x", root.JSON(), o)
		place := regexp.MustCompile(`x:\d+:\d+`)
		if diff := cmp.Diff(place.ReplaceAllString(dump(yaml), ""), place.ReplaceAllString(dump(json), "")); diff != "" {
			t.Errorf("%s: -yaml +json:\n%s", name, diff)
		}
		if len(dy) != len(dj) {
			t.Errorf("%s: %d diagnostics as YAML, %d as JSON", name, len(dy), len(dj))
		}
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.[yj]*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(0))
		f.Add(data, uint8(5))
	}
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		o := openapi.Options{Kind: []string{"", "http", "rest"}[mode%3], BasePath: []string{"", "prepend", "split"}[mode/3%3]}
		if mode&64 != 0 {
			o.Backend = "http://127.0.0.1:9000/x"
		}
		api, ds := openapi.Read("f", data, o)
		if api.REST != nil && api.HTTP != nil {
			t.Error("two kinds at once")
		}
		if api.REST == nil && api.HTTP == nil && !ds.HasErrors() {
			t.Error("no API and no error")
		}
		for _, d := range ds {
			if openapi.Codes()[d.Code] == "" {
				t.Errorf("the code %q is not described", d.Code)
			}
		}
	})
}
