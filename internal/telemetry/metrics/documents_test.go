package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/telemetry/metrics"
)

const root = "../../../"

var name = regexp.MustCompile(`\b(?:gatehouse|go|process)_[a-z0-9_]*[a-z0-9]\b`)

// exported lists the names that a scrape gives, with and without the endings of a histogram's samples.
func exported(t *testing.T) (families, samples []string) {
	t.Helper()
	for line := range strings.Lines(scrape(t, full(t, metrics.Config{}))) {
		if f := strings.Fields(line); f[0] == "#" && f[1] == "TYPE" {
			families = append(families, f[2])
		} else if f[0] != "#" {
			n, _, _ := strings.Cut(f[0], "{")
			samples = append(samples, n)
		}
	}
	return families, samples
}

// dashboard is what the test must know of Grafana's form.
type dashboard struct {
	Title, UID    string
	SchemaVersion int
	Panels        []struct {
		ID          int
		Type, Title string
		GridPos     struct{ H, W, X, Y int }
		Datasource  struct{ UID string }
		Targets     []struct{ RefID, Expr string }
	}
	Templating struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
}

func TestDashboard(t *testing.T) {
	b, err := os.ReadFile(root + "deploy/grafana/gatehouse.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	_, samples := exported(t)
	for _, n := range name.FindAllString(string(b), -1) {
		if !slices.Contains(samples, n) {
			t.Errorf("%s is not exported", n)
		}
	}
	if d.Title == "" || d.UID == "" || d.SchemaVersion < 30 || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" {
		t.Errorf("not a dashboard with a data source to choose: %.300s", b)
	}
	variables := []string{"datasource", "__rate_interval", "__interval", "__all"}
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	for _, v := range regexp.MustCompile(`\$\{?([a-z_]+)`).FindAllStringSubmatch(string(b), -1) {
		if !slices.Contains(variables, v[1]) {
			t.Errorf("the variable %s is not defined", v[0])
		}
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.GridPos.W+p.GridPos.X > 24 || p.GridPos.H < 1 {
			t.Errorf("panel %q: id %d, place %+v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q has no data", p.Title)
		}
		for _, q := range p.Targets {
			if !name.MatchString(q.Expr) || strings.Count(q.Expr, "(") != strings.Count(q.Expr, ")") {
				t.Errorf("panel %q: %s", p.Title, q.Expr)
			}
		}
	}
}

// TestReference holds the reference to what is exported, both ways.
func TestReference(t *testing.T) {
	b, err := os.ReadFile(root + "docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	families, _ := exported(t)
	text := string(b)
	for _, n := range families {
		if strings.HasPrefix(n, "gatehouse_") && !strings.HasPrefix(n, "gatehouse_test_") && !strings.Contains(text, "| `"+n+"` |") {
			t.Errorf("%s is not in docs/reference/metrics.md", n)
		}
	}
	for _, n := range name.FindAllString(text, -1) {
		if !slices.Contains(families, n) {
			t.Errorf("%s is in docs/reference/metrics.md and not exported", n)
		}
	}
}
