package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/config"
	"gatehouse/internal/definition"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// environment is what ${NAME} finds in all tests.
func environment(name string) (string, bool) {
	v, ok := map[string]string{
		"ALICE_KEY": "alice-alice-alice-alice", "SAME_SECRET": "hunter2-hunter2-hunter2", "HERE": "here",
		"PORT": "18080", "CONNECTIONS": "77", "IDLE": "3s", "EXPOSE": "true", "RATE": "2.5", "HOST": "h:1", "API": "a",
		"YAML": "{a:1,b:[hunter2,hunter2]}", "SECRET_URL": "http://user:hunter2@h/",
	}[name]
	return v, ok
}

// TestGolden loads each testdata/NAME.yaml and compares diagnostics and definitions with NAME.want.txt.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	reported := map[string]bool{}
	for _, in := range inputs {
		name := strings.TrimSuffix(filepath.Base(in), ".yaml")
		t.Run(name, func(t *testing.T) {
			file, diags := config.Load(in, environment)
			for _, d := range diags {
				reported[d.Code] = true
				if strings.Contains(d.String(), "hunter2") {
					t.Errorf("a secret is in a diagnostic: %s", d)
				}
			}
			compare(t, strings.TrimSuffix(in, ".yaml")+".want.txt", render(file, diags))
		})
	}
	for code, line := range config.Codes() {
		if !reported[code] {
			t.Errorf("no test reports %s (%s)", code, line)
		}
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// render gives the diagnostics, and the file if it may be served.
func render(file *config.File, diags definition.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintln(&b, d)
	}
	if !diags.HasErrors() {
		dump(&b, "", reflect.ValueOf(*file))
	}
	return b.String()
}

// dump writes all values that are not zero, one on a line, places as line:column.
func dump(b *strings.Builder, path string, v reflect.Value) {
	if v.IsZero() {
		return
	}
	if p, ok := reflect.TypeAssert[definition.Place](v); ok {
		fmt.Fprintf(b, "%s = %d:%d\n", path, p.Line, p.Column)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			dump(b, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Pointer:
		if v.Elem().IsZero() {
			fmt.Fprintf(b, "%s = %v\n", path, v.Elem())
		}
		dump(b, path, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			dump(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			dump(b, fmt.Sprintf("%s[%s]", path, k), v.MapIndex(k))
		}
	default:
		fmt.Fprintf(b, "%s = %v\n", path, v.Interface())
	}
}
