package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sampleOf is a round of 1,000,000 requests at so many microseconds each.
func sampleOf(user, system float64, failed int64) sample {
	return sample{
		load: load{requests: 1_000_000, statusErrors: failed},
		cpu:  usage{user: time.Duration(user * 1e9), system: time.Duration(system * 1e9)},
		wall: 20 * time.Second,
	}
}

func TestResultTakesTheLeastRound(t *testing.T) {
	r := result{samples: []sample{sampleOf(3, 14, 0), sampleOf(2, 13, 0), sampleOf(5, 16, 0)}}
	if got := r.best().cpuMicros(); got != 15 {
		t.Errorf("least %v, want 15", got)
	}
	if got := r.worst(); got != 21 {
		t.Errorf("most %v, want 21", got)
	}
}

func TestProxyLimits(t *testing.T) {
	rows := func(failed int64) []result {
		return []result{
			{id: rowNginx, samples: []sample{sampleOf(2, 13, 0), sampleOf(9, 13, 0)}},
			{id: rowAll, samples: []sample{sampleOf(4, 14, 0)}},
			{id: rowLarge, samples: []sample{sampleOf(6, 15, 0), sampleOf(6, 15.5, failed)}},
		}
	}
	for _, tt := range []struct {
		name string
		rows []result
		want []string // value and verdict of each line
	}{
		{"all valid", rows(0), []string{"| 1.20 | 1.30 | yes |", "| 4.00 µs | 5.00 µs | yes |", "| 1.17 | 1.10 | no |"}},
		{"one round with errors", rows(1), []string{"| 1.20 | 1.30 | yes |", "| 4.00 µs |", "| not measured | 1.10 | – |"}},
		{"row missing", rows(0)[:1], []string{"| not measured | 1.30 | – |", "| not measured | 5.00 µs | – |", "| not measured |"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := strings.Split(limitTable(proxyLimits(tt.rows)...), "\n")[2:]
			for i, want := range tt.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %q does not hold %q", lines[i], want)
				}
			}
			section := proxySection(tt.rows, "machine", options{})
			if broken := tt.name == "one round with errors"; broken != strings.Contains(section, "invalid") {
				t.Errorf("says invalid: %v\n%s", !broken, section)
			}
		})
	}
}

func TestReplaceSection(t *testing.T) {
	const other = "<!-- section: other -->\nkept\n<!-- end -->\n"
	for _, tt := range []struct{ name, text, want string }{
		{"added", "# Head\n\n" + other, "# Head\n\n" + other + "\n<!-- section: proxy -->\nnew\n<!-- end -->\n"},
		{
			"replaced", "# Head\n<!-- section: proxy -->\nold\n<!-- end -->\n" + other,
			"# Head\n<!-- section: proxy -->\nnew\n<!-- end -->\n" + other,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := replaceSection(tt.text, "proxy", "new\n\n")
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v\nwant %q", got, err, tt.want)
			}
		})
	}
	if _, err := replaceSection("<!-- section: proxy -->\nold\n", "proxy", "new"); err == nil {
		t.Error("a section without an end is no error")
	}
}

func TestWriteSectionTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "RESULTS.md")
	for _, name := range []string{"proxy", "load", "proxy"} {
		if err := writeSection(file, name, "## "+name); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := resultsHead + "\n<!-- section: proxy -->\n## proxy\n<!-- end -->\n\n<!-- section: load -->\n## load\n<!-- end -->\n"
	if string(text) != want {
		t.Errorf("got %q\nwant %q", text, want)
	}
}

func TestCountLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(strings.Repeat("line\n", 300_000)+"rest"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := countLines(file); err != nil || got != 300_000 {
		t.Errorf("got %d, %v", got, err)
	}
}
