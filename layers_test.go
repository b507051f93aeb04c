package gatehouse_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layer says what the packages of one folder may import of this module. A pattern is a package, or a folder and
// everything below it when it ends in "/...".
type layer struct {
	packages string
	may      []string
	// why is for the reader who wants to change the line.
	why string
}

// layers is the direction of all dependencies: the first line that fits a package counts. What is not said may not be
// imported.
func layers() []layer {
	const (
		lib        = "internal/lib/..."
		fault      = "internal/fault"
		snapshot   = "internal/snapshot"
		definition = "internal/definition/..."
		exchange   = "internal/dataplane/exchange"
	)
	step := []string{exchange, snapshot, fault, lib}
	return []layer{
		{lib, []string{lib}, "leaves know nothing of gateways"},
		{fault, nil, "everything may name a kind of failure"},
		{definition, []string{definition}, "what a user defines is plain data"},
		{snapshot, []string{fault, lib}, "the waist knows neither plane"},

		{"internal/openapi", []string{definition, fault, lib}, "reads documents; fault names the gateway responses"},
		{"internal/config", []string{definition, "internal/openapi", fault, lib}, "reads files into definitions"},
		{"internal/compile", []string{definition, snapshot, fault, lib}, "the only package that turns one into the other"},
		{"internal/publish", []string{definition, "internal/config", "internal/compile", snapshot}, "carries one to the other"},
		{"internal/store/...", []string{"internal/store"}, "keeps bytes"},

		{exchange, []string{snapshot, fault, lib}, "what all steps share"},
		{"internal/dataplane/listen", []string{exchange, fault, lib}, "sockets outlive snapshots and know none"},
		{"internal/dataplane/integrate/upstream", []string{lib}, "connections know nothing of gateways"},
		{"internal/dataplane/integrate/httpproxy", append([]string{"internal/dataplane/integrate/upstream"}, step...), "calls through connections"},
		{"internal/dataplane/record", append([]string{"internal/telemetry/metrics"}, step...), "counts what it records"},
		{"internal/dataplane/...", step, "steps do not know each other"},

		{"internal/telemetry/metrics", []string{fault}, "counts refusals by their kind"},
		{"internal/telemetry/...", nil, "asks through interfaces of its own"},

		{"internal/daemon", []string{"internal/..."}, "the planes meet here"},
		{"internal/gatewaytest", []string{"internal/..."}, "a whole gateway in a test"},
		{"cmd/...", []string{"internal/daemon", "internal/publish", definition}, "flags into calls"},
		{"bench", nil, "drives the real program from outside"},
		{"test/...", nil, "drives the real program from outside"},
		{"examples/...", nil, "what a user could write"},
		{".", nil, "no code"},
	}
}

// dataplaneRoot is apart: it puts the steps into their order, so it may import each of them.
const dataplaneRoot = "internal/dataplane"

func layerOf(pkg string) (layer, bool) {
	if pkg == dataplaneRoot {
		return layer{pkg, []string{"internal/dataplane/...", "internal/snapshot", "internal/fault", "internal/lib/..."}, "the way of a request"}, true
	}
	i := slices.IndexFunc(layers(), func(l layer) bool { return covers(l.packages, pkg) })
	if i < 0 {
		return layer{}, false
	}
	return layers()[i], true
}

func covers(pattern, pkg string) bool {
	folder, below := strings.CutSuffix(pattern, "/...")
	return pkg == folder || below && strings.HasPrefix(pkg, folder+"/")
}

func (l layer) allows(pkg string) bool {
	return slices.ContainsFunc(l.may, func(pattern string) bool { return covers(pattern, pkg) })
}

// ownImport gives the package of this module that an import names.
func ownImport(quoted string) (string, bool) {
	name, _ := strconv.Unquote(quoted)
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

func TestImportsPointOneWay(t *testing.T) {
	for _, f := range source(t, production) {
		l, ok := layerOf(f.pkg)
		if !ok {
			t.Errorf("%s: the package %s has no line in layers: add one that says what it may import, and why", f.name, f.pkg)
			continue
		}
		for _, i := range f.ast.Imports {
			if pkg, own := ownImport(i.Path.Value); own && !l.allows(pkg) {
				t.Errorf("%s: %s may not import %s (%s)", f.place(i), f.pkg, pkg, l.why)
			}
		}
	}
}

// TestTheWaist is the one rule that matters most, said by itself so that a change of layers does not lose it.
func TestTheWaist(t *testing.T) {
	both := map[string][2]bool{}
	for _, f := range source(t, production) {
		for _, i := range f.ast.Imports {
			pkg, _ := ownImport(i.Path.Value)
			seen := both[f.pkg]
			seen[0] = seen[0] || covers("internal/definition/...", pkg)
			seen[1] = seen[1] || covers("internal/snapshot", pkg)
			both[f.pkg] = seen
		}
	}
	allowed := []string{"internal/compile", "internal/publish", "internal/daemon", "internal/gatewaytest"}
	for _, pkg := range sortedKeys(both) {
		if both[pkg] == [2]bool{true, true} && !slices.Contains(allowed, pkg) {
			t.Errorf("%s knows definitions and snapshots: only %s may", pkg, strings.Join(allowed, ", "))
		}
		if both[pkg][0] && strings.HasPrefix(pkg, dataplaneRoot) {
			t.Errorf("%s knows definitions: the data plane serves snapshots only", pkg)
		}
	}
}

// TestLayersAreUsed keeps lines of packages that are gone out of the list.
func TestLayersAreUsed(t *testing.T) {
	pkgs := packages(source(t, production))
	for i, l := range layers() {
		used := false
		for pkg := range pkgs {
			first := slices.IndexFunc(layers(), func(l layer) bool { return covers(l.packages, pkg) })
			used = used || first == i
		}
		if !used {
			t.Errorf("no package stands under %q in layers: remove the line", l.packages)
		}
	}
}
