package openapi_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
	"gatehouse/internal/openapi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden reads testdata/*.yaml and *.json and compares with *.want.txt. A first line "# options: key=value …" sets
// the options.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.[yj]*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			api, ds := openapi.Read(filepath.Base(file), data, optionsOf(t, data))
			got := text(ds) + "----\n" + dump(api)
			golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".want.txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got, rewrite with -update:\n%s", diff)
			}
		})
	}
}

func optionsOf(t *testing.T, data []byte) openapi.Options {
	t.Helper()
	line, _, _ := bytes.Cut(data, []byte("\n"))
	rest, ok := strings.CutPrefix(string(line), "# options:")
	var o openapi.Options
	if !ok {
		return o
	}
	for f := range strings.FieldsSeq(rest) {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "kind":
			o.Kind = value
		case "backend":
			o.Backend = value
		case "basepath":
			o.BasePath = value
		case "name":
			o.Name = value
		case "key-required":
			o.APIKeyRequired = true
		default:
			t.Fatalf("unknown option %q", key)
		}
	}
	return o
}

func text(ds definition.Diagnostics) string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.String() + "\n")
	}
	return b.String()
}

// TestSharedDocuments reads documents that people run on AWS; they are not part of the repository.
func TestSharedDocuments(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/openapi/*.[yj]*")
	if len(files) == 0 {
		t.Skip("the folder of real documents is not beside this clone")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			api, ds := openapi.Read(filepath.Base(file), data, openapi.Options{Backend: "http://127.0.0.1:9000"})
			t.Log("\n" + text(ds) + dump(api))
			if ds.HasErrors() {
				t.Errorf("it does not load")
			}
			if (api.REST == nil) == (api.HTTP == nil) {
				t.Errorf("want exactly one kind of API")
			}
		})
	}
}

func TestIsDocument(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       bool
	}{
		{"openapi", "openapi: 3.0.1", true},
		{"swagger", `{"swagger": "2.0"}`, true},
		{"paths alone", "paths: {}", true},
		{"configuration", "apis: {}", false},
		{"list", "[openapi]", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root, err := doctree.Parse("x", []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := openapi.IsDocument(root); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
