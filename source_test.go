package gatehouse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the path that begins every import of our own.
const module = "gatehouse"

// sourceFile is one Go file of the module, tests included.
type sourceFile struct {
	// name is the path from the module's root, pkg its folder; both with slashes.
	name, pkg string
	lines     int
	set       *token.FileSet
	ast       *ast.File
}

// isTest reports whether the file is compiled for tests only.
func (f *sourceFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// place gives file:line of a node.
func (f *sourceFile) place(n ast.Node) string {
	p := f.set.Position(n.Pos())
	return p.String()
}

// sources are the files of the module, read once.
var sources = sync.OnceValues(readSources)

// source gives the files for which keep says yes.
func source(t *testing.T, keep func(*sourceFile) bool) []*sourceFile {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	var out []*sourceFile
	for _, f := range all {
		if keep(f) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		t.Fatal("no source files were found: the test would pass without looking at anything")
	}
	return out
}

func production(f *sourceFile) bool { return !f.isTest() }

func readSources() ([]*sourceFile, error) {
	var out []*sourceFile
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(name, d)
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := readSource(set, filepath.ToSlash(name))
		out = append(out, f)
		return err
	})
	return out, err
}

// skipDir leaves out what is no part of the module.
func skipDir(name string, d fs.DirEntry) error {
	if name == "." {
		return nil
	}
	if strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func readSource(set *token.FileSet, name string) (*sourceFile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := &sourceFile{name: name, pkg: path.Dir(name), lines: strings.Count(string(text), "\n"), set: set}
	f.ast, err = parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return f, err
}

// packages groups files by folder.
func packages(files []*sourceFile) map[string][]*sourceFile {
	out := map[string][]*sourceFile{}
	for _, f := range files {
		out[f.pkg] = append(out[f.pkg], f)
	}
	return out
}

// sortedKeys gives the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
