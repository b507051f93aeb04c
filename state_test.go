package gatehouse_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"testing"
)

// mutableType tells the types that are there to be changed.
var mutableType = regexp.MustCompile(`^(sync|atomic)\.`)

// TestPackagesKeepNoState: a package-level variable is a table or a ready value. It is never assigned to, nothing of it
// is, its address is not taken, and it is no lock, counter or channel. Nothing runs in an init either.
func TestPackagesKeepNoState(t *testing.T) {
	pkgs := packages(source(t, production))
	for _, pkg := range sortedKeys(pkgs) {
		vars := map[string]bool{}
		for _, f := range pkgs[pkg] {
			packageVars(t, f, vars)
		}
		for _, f := range pkgs[pkg] {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				if fn.Name.Name == "init" && fn.Recv == nil {
					t.Errorf("%s: no init: make it a constructor that cmd calls", f.place(fn))
				}
				checkWrites(t, f, fn, vars)
			}
		}
	}
}

// packageVars adds the names of a file's package-level variables.
func packageVars(t *testing.T, f *sourceFile, names map[string]bool) {
	t.Helper()
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if changes(v.Type) {
				t.Errorf("%s: %s is there to be changed: give it to a struct", f.place(v), v.Names[0].Name)
			}
			for _, n := range v.Names {
				names[n.Name] = n.Name != "_"
			}
		}
	}
}

// changes reports whether a type is one of locks, counters, pools and channels.
func changes(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ChanType:
		return true
	case *ast.IndexExpr:
		return changes(e.X)
	case *ast.SelectorExpr:
		pkg, ok := e.X.(*ast.Ident)
		return ok && mutableType.MatchString(pkg.Name+"."+e.Sel.Name)
	}
	return false
}

// checkWrites reports what a function does to a package-level variable. A name that the function declares itself is
// taken for its own.
func checkWrites(t *testing.T, f *sourceFile, fn *ast.FuncDecl, vars map[string]bool) {
	t.Helper()
	own := declared(fn)
	report := func(n ast.Node, e ast.Expr) {
		if name := rootName(e); vars[name] && !own[name] {
			t.Errorf("%s: %s changes the package's variable %s: give it to a struct", f.place(n), fn.Name.Name, name)
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, left := range n.Lhs {
					report(n, left)
				}
			}
		case *ast.IncDecStmt:
			report(n, n.X)
		case *ast.UnaryExpr:
			if id, ok := n.X.(*ast.Ident); ok && n.Op == token.AND {
				report(n, id)
			}
		}
		return true
	})
}

// declared gives the names that a function declares anywhere inside.
func declared(fn *ast.FuncDecl) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					out[id.Name] = true
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					out[id.Name] = true
				}
			}
		}
		return true
	})
	return out
}

// rootName gives "a" of a.b[c].
func rootName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}
