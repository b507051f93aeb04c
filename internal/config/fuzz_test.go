package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/internal/config"
)

// FuzzLoad: no text makes Load panic or hang, or puts what a reference stands for into a diagnostic.
func FuzzLoad(f *testing.F) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, in := range inputs {
		text, err := os.ReadFile(in)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	const secret = "HUSH-6d1f/{HUSH}"
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "HUSH") || len(text) > 16<<10 {
			t.Skip("the input holds the secret itself, or is too long")
		}
		path := filepath.Join(t.TempDir(), "gatehouse.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		file, diags := config.Load(path, func(string) (string, bool) { return secret, true })
		if file == nil {
			t.Fatal("no file")
		}
		for _, d := range diags {
			if strings.Contains(d.String(), "HUSH") {
				t.Errorf("a secret is in a diagnostic: %s", d)
			}
		}
	})
}
