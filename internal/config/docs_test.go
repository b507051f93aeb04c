package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const reference = "../../docs/reference/gatehouse-yaml.md"

func TestReferenceExample(t *testing.T) {
	page, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	if _, diags := load(t, example); len(diags) > 0 {
		t.Error(diags)
	}
}

// TestReferenceNamesEveryKey compares the page with the tables of fields in the source.
func TestReferenceNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fieldLine := regexp.MustCompile(`\{"([a-z_]+)", [^"}]`)
	keys := 0
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		for _, m := range fieldLine.FindAllStringSubmatch(string(text), -1) {
			keys++
			if key := m[1]; !regexp.MustCompile(`(^|[^a-z_])` + key + `([^a-z_]|$)`).Match(page) {
				t.Errorf("%s: the page does not name %s", source, key)
			}
		}
	}
	if keys < 50 {
		t.Errorf("only %d keys were found in the source", keys)
	}
}
