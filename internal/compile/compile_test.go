package compile_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"gatehouse/internal/publish"
	"gatehouse/internal/snapshot"
)

var update = flag.Bool("update", false, "rewrite what the cases in testdata want")

// TestGolden compiles the files of each archive and compares diagnostics and snapshot, as text, with its last file.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := compiled(t, archive)
			want := &archive.Files[len(archive.Files)-1]
			if want.Name != "want" {
				t.Fatal("the last file must be called want")
			}
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(want.Data), got); d != "" {
				t.Errorf("-want +got, rewrite with -update:\n%s", d)
			}
		})
	}
}

// compiled is what comes of an archive's gatehouse.yaml.
func compiled(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(string) (string, bool) { return "", false }
	r := publish.Read(filepath.Join(dir, "gatehouse.yaml"), env, time.Unix(0, 0))
	var b strings.Builder
	for _, d := range r.Diagnostics {
		fmt.Fprintln(&b, strings.ReplaceAll(d.String(), dir+string(filepath.Separator), ""))
	}
	if !r.Diagnostics.HasErrors() {
		dump(&b, r.Snapshot)
	}
	return b.String()
}

func dump(b *strings.Builder, s *snapshot.Snapshot) {
	for _, id := range slices.Sorted(maps.Keys(s.APIs)) {
		api := s.APIs[id]
		for _, name := range slices.Sorted(maps.Keys(api.Stages)) {
			stage := api.Stages[name]
			fmt.Fprintf(b, "stage %s (%s)\n", stage.ID, api.Kind)
			for _, r := range stage.AllRoutes {
				dumpRoute(b, r)
			}
			for k, refusal := range stage.Refusals {
				if refusal != nil {
					fmt.Fprintf(b, "  refusal %d: status %d, %d headers, %d bodies\n", k, refusal.Status, len(refusal.Headers), len(refusal.Bodies))
				}
			}
		}
	}
	for _, host := range slices.Sorted(maps.Keys(s.Hosts.Exact)) {
		dumpMappings(b, host, s.Hosts.Exact[host])
	}
	for _, host := range slices.Sorted(maps.Keys(s.Hosts.Wildcard)) {
		dumpMappings(b, "*"+host, s.Hosts.Wildcard[host])
	}
	dumpMappings(b, "*", s.Hosts.Any)
	fmt.Fprintf(b, "keys %d\n", s.Keys.Len())
}

func dumpMappings(b *strings.Builder, host string, all []snapshot.Mapping) {
	for _, m := range all {
		to := m.API.ID + "/?"
		if m.Stage != nil {
			to = m.Stage.ID
		}
		fmt.Fprintf(b, "host %s%s/ → %s\n", host, m.BasePath, to)
	}
}

func dumpRoute(b *strings.Builder, r *snapshot.Route) {
	fmt.Fprintf(b, "  %s", r.Key)
	if r.APIKeyRequired {
		b.WriteString(" key")
	}
	if r.NotServed != "" {
		fmt.Fprintf(b, " not served: %s", r.NotServed)
	}
	for _, l := range r.Limits {
		fmt.Fprintf(b, " [%s %g/%d]", l.ID, l.Rate, l.Burst)
	}
	b.WriteByte('\n')
	in := r.Integration
	if in == nil {
		return
	}
	fmt.Fprintf(b, "    %s %s", in.Kind, in.Method)
	if in.Kind == snapshot.Mock {
		fmt.Fprintf(b, " %s", in.MockStatus)
	} else {
		fmt.Fprintf(b, " %s %s?%s %v tls=%v", in.Host, text(in.Path), text(in.Query), in.Upstream.Servers[0].Addr, in.Upstream.Servers[0].TLS)
	}
	fmt.Fprintf(b, " %s\n", in.Timeout)
	for _, a := range in.Headers {
		fmt.Fprintf(b, "    header %s = %s\n", a.Name, text(a.Value))
	}
	for _, a := range in.Queries {
		fmt.Fprintf(b, "    query %s = %s\n", a.Name, text(a.Value))
	}
	for _, resp := range in.Responses {
		pattern := "default"
		if resp.Pattern != nil {
			pattern = resp.Pattern.String()
		}
		fmt.Fprintf(b, "    %s → %d\n", pattern, resp.Status)
		for _, a := range resp.Headers {
			fmt.Fprintf(b, "      header %s = %s\n", a.Name, text(a.Value))
		}
		for _, body := range resp.Bodies {
			fmt.Fprintf(b, "      body %s %q\n", body.MediaType, body.Text)
		}
	}
}

// text shows a compiled text: references in braces.
func text(t snapshot.Text) string {
	names := map[snapshot.Source]string{
		snapshot.RequestPath: "path", snapshot.RequestQuery: "query", snapshot.RequestMultiQuery: "queries",
		snapshot.RequestHeader: "header", snapshot.RequestMultiHeader: "headers", snapshot.RequestBody: "body",
		snapshot.ResponseHeader: "answer header", snapshot.ResponseMultiHeader: "answer headers", snapshot.ResponseBody: "answer body",
		snapshot.Context: "context",
	}
	var b strings.Builder
	for _, s := range t {
		if s.Source == snapshot.Literal {
			b.WriteString(s.Name)
			continue
		}
		fmt.Fprintf(&b, "{%s %s}", names[s.Source], s.Name)
	}
	return b.String()
}
