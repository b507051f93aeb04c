package gatehouse_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// respondPackage is the only one of the data plane that writes an error to a client.
const respondPackage = "internal/dataplane/respond"

// statusSetters are the packages of the data plane that may set a status at all.
func statusSetters() []string {
	return []string{
		respondPackage,
		"internal/dataplane/transform", // the status that the backend or the definition gave, never one of its own
	}
}

func dataplaneSource(t *testing.T) []*sourceFile {
	t.Helper()
	return source(t, func(f *sourceFile) bool { return production(f) && covers("internal/dataplane/...", f.pkg) })
}

// TestOnlyRespondDecidesAnErrorStatus: every other package either sets no status, or hands on one that it was given.
func TestOnlyRespondDecidesAnErrorStatus(t *testing.T) {
	for _, f := range dataplaneSource(t) {
		if f.pkg == respondPackage {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !writesStatus(fn.Sel.Name) || len(call.Args) == 0 {
				return true
			}
			if !slices.Contains(statusSetters(), f.pkg) {
				t.Errorf("%s: %s sets a client's status: return a fault, and respond answers", f.place(call), f.pkg)
			} else if constantStatus(call.Args[len(call.Args)-1]) {
				t.Errorf("%s: %s decides on a status: return a fault, and respond answers", f.place(call), f.pkg)
			}
			return true
		})
	}
}

// writesStatus tells fasthttp's ways to set a response's status.
func writesStatus(method string) bool {
	return slices.Contains([]string{"SetStatusCode", "SetStatusMessage", "SetStatusLine"}, method)
}

// constantStatus reports whether an argument is a number, or one of http's or fasthttp's names for one.
func constantStatus(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.SelectorExpr:
		pkg, ok := e.X.(*ast.Ident)
		return ok && (pkg.Name == "fasthttp" || pkg.Name == "http")
	}
	return false
}

// errorBody is how AWS's errors look, in a body or as x-amzn-ErrorType.
var errorBody = regexp.MustCompile(`(?i)"message"\s*:|^[A-Z][A-Za-z]+Exception$`)

// TestOnlyRespondKnowsErrorBodies: no other package of the data plane has the text of an error body in it.
func TestOnlyRespondKnowsErrorBodies(t *testing.T) {
	known := 0
	for _, f := range dataplaneSource(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			switch {
			case err != nil || !errorBody.MatchString(text):
			case f.pkg == respondPackage:
				known++
			default:
				t.Errorf("%s: %s has the text of an error body: return a fault, and respond answers", f.place(lit), f.pkg)
			}
			return true
		})
	}
	if known == 0 {
		t.Errorf("%s has no text of an error body: the rule looks for the wrong thing", respondPackage)
	}
}

// TestOnlyTheWayRefuses: no step calls respond by itself; the plan does, where a way ends.
func TestOnlyTheWayRefuses(t *testing.T) {
	for _, f := range dataplaneSource(t) {
		if f.pkg == dataplaneRoot || f.pkg == respondPackage {
			continue
		}
		for _, i := range f.ast.Imports {
			if strings.HasSuffix(strings.Trim(i.Path.Value, `"`), respondPackage) {
				t.Errorf("%s: %s may not answer by itself: return a fault", f.place(i), f.pkg)
			}
		}
	}
}
