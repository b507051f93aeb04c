package gatehouse_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/compile"
	"gatehouse/internal/config"
	"gatehouse/internal/openapi"
)

var update = flag.Bool("update", false, "rewrite what is generated: docs/reference/diagnostics.md")

const diagnosticsPage = "docs/reference/diagnostics.md"

// codeSource is one package that reports diagnostics.
type codeSource struct {
	title, intro string
	pkg          string
	codes        map[string]string
}

func codeSources() []codeSource {
	return []codeSource{
		{"gatehouse.yaml", "What can be wrong with the config itself.", "internal/config", config.Codes()},
		{"Compiling", "What is found out when everything is put together.", "internal/compile", compile.Codes()},
		{"OpenAPI documents", "What can be wrong with a document, before it is known how it will be served.", "internal/openapi", openapi.Codes()},
	}
}

// TestReferenceHasEveryCode holds the page to the code; with -update it writes it.
func TestReferenceHasEveryCode(t *testing.T) {
	want := diagnosticsReference()
	if *update {
		if err := os.WriteFile(diagnosticsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(diagnosticsPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the code says: run `go test . -run Reference -update` (-code +page):\n%s", diagnosticsPage, diff)
	}
}

func diagnosticsReference() string {
	var b strings.Builder
	b.WriteString(`# Diagnostics

<!-- Written by go test . -run Reference -update from the packages' Codes. -->

What is wrong with a definition is told by ` + "`gatehouse check`" + `, at the start, in the log and in ` + "`/healthz`" + `, always in the same form:

    petstore.yaml:41:9: error [no-integration]: GET /pets has no integration
        hint: add x-amazon-apigateway-integration, or set backend: on the API

An **error** keeps the definition from being served, a **warning** says that something in it does not do what it says, an
**info** that something is kept without effect. The code in brackets is one of these; where a code stands twice, the place
tells which is meant.
`)
	for _, s := range codeSources() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| code | meaning |\n| --- | --- |\n", s.title, s.intro)
		for _, code := range slices.Sorted(maps.Keys(s.codes)) {
			fmt.Fprintf(&b, "| `%s` | %s |\n", code, strings.ReplaceAll(s.codes[code], "*", `\*`))
		}
	}
	return b.String()
}

var codeShape = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestCodesAreWordsWithOneLine(t *testing.T) {
	for _, s := range codeSources() {
		for code, line := range s.codes {
			if !codeShape.MatchString(code) {
				t.Errorf("%s: the code %q is not lower-case words with hyphens", s.pkg, code)
			}
			if line == "" || strings.ContainsAny(line, "\n|") || strings.HasSuffix(line, ".") {
				t.Errorf("%s: the line of %s is not one line without a full stop: %q", s.pkg, code, line)
			}
		}
	}
}

// TestEveryReportedCodeIsListed looks at the calls that report a diagnostic: a code that is written there in place, or
// as a constant of its package, must be one of the package's Codes, and each of these must be reported somewhere.
func TestEveryReportedCodeIsListed(t *testing.T) {
	for _, s := range codeSources() {
		files := source(t, func(f *sourceFile) bool { return production(f) && f.pkg == s.pkg })
		used := map[string]bool{}
		for _, f := range files {
			for code, at := range mentioned(f, s.codes) {
				used[code] = true
				if s.codes[code] == "" {
					t.Errorf("%s: the code %q has no line in Codes", at, code)
				}
			}
		}
		for code := range s.codes {
			if !used[code] {
				t.Errorf("%s: Codes lists %q, which nothing reports", s.pkg, code)
			}
		}
	}
}

// reporters are the names of the functions that take a code.
var reporters = regexp.MustCompile(`^(Add|error|errorf|warn|info|fail|unserved|report|notServed|add|note)$`)

// mentioned gives the codes that a file reports, with a place for each: arguments of reporters that look like a code, and
// mentions of a constant whose value is one.
func mentioned(f *sourceFile, known map[string]string) map[string]string {
	out, named := map[string]string{}, constants(f)
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return n.Name.Name != "Codes"
		case *ast.GenDecl:
			return n.Tok != token.CONST
		case *ast.CallExpr:
			if reporters.MatchString(calledName(n)) {
				for _, arg := range n.Args[:min(2, len(n.Args))] {
					if code, ok := literal(arg); ok && codeShape.MatchString(code) && strings.Contains(code, "-") {
						out[code] = f.place(arg)
					}
				}
			}
		case *ast.BasicLit:
			if code, ok := literal(n); ok && known[code] != "" {
				out[code] = f.place(n)
			}
		case *ast.Ident:
			if code := named[n.Name]; code != "" {
				out[code] = f.place(n)
			}
		}
		return true
	})
	return out
}

// constants gives the string constants of the file's package whose names begin with "code".
func constants(f *sourceFile) map[string]string {
	out := map[string]string{}
	all, _ := sources()
	for _, other := range all {
		if other.pkg != f.pkg {
			continue
		}
		for _, d := range other.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok || !strings.HasPrefix(v.Names[0].Name, "code") || len(v.Values) == 0 {
					continue
				}
				if code, ok := literal(v.Values[0]); ok {
					out[v.Names[0].Name] = code
				}
			}
		}
	}
	return out
}

func calledName(call *ast.CallExpr) string {
	switch fn := call.Fun.(type) {
	case *ast.Ident:
		return fn.Name
	case *ast.SelectorExpr:
		return fn.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
