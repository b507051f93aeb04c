package gatehouse_test

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

// The lengths at which a file or a function hides two things that want two names.
const (
	maxFileLines = 500
	maxFuncLines = 60
)

// longFiles excuses files by their name, longFuncs functions by "file name", each with its reason.
var (
	longFiles = map[string]string{}
	longFuncs = map[string]string{}
)

func TestFilesAndFunctionsAreShort(t *testing.T) {
	usedFiles, usedFuncs := map[string]bool{}, map[string]bool{}
	for _, f := range source(t, production) {
		if f.lines > maxFileLines {
			usedFiles[f.name] = true
			if longFiles[f.name] == "" {
				t.Errorf("%s has %d lines, and %d are the most: which two things are in it?", f.name, f.lines, maxFileLines)
			}
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			lines := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1
			if lines <= maxFuncLines {
				continue
			}
			key := f.name + " " + fn.Name.Name
			usedFuncs[key] = true
			if longFuncs[key] == "" {
				t.Errorf("%s: %s has %d lines, and %d are the most: which two things does it do?", f.place(fn), fn.Name.Name, lines, maxFuncLines)
			}
		}
	}
	for name := range longFiles {
		if !usedFiles[name] {
			t.Errorf("longFiles excuses %s, which needs no excuse any more", name)
		}
	}
	for name := range longFuncs {
		if !usedFuncs[name] {
			t.Errorf("longFuncs excuses %s, which needs no excuse any more", name)
		}
	}
}

func TestEveryPackageHasOneDocComment(t *testing.T) {
	pkgs := packages(source(t, production))
	for _, pkg := range sortedKeys(pkgs) {
		files := pkgs[pkg]
		var docs []*sourceFile
		for _, f := range files {
			if f.ast.Doc != nil {
				docs = append(docs, f)
			}
		}
		if len(docs) != 1 {
			t.Errorf("%s has %d package comments: write one, in doc.go or the main file", pkg, len(docs))
			continue
		}
		want := "Package " + files[0].ast.Name.Name + " "
		if files[0].ast.Name.Name == "main" {
			want = "Command " + path.Base(pkg) + " "
		}
		if text := docs[0].ast.Doc.Text(); !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package comment does not begin with %q", docs[0].place(docs[0].ast.Doc), want)
		}
	}
}

var (
	looseEnd   = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	looseIssue = regexp.MustCompile(`\bTODO\(#\d+\)`)
)

func TestLooseEndsNameTheirIssue(t *testing.T) {
	for _, f := range source(t, func(f *sourceFile) bool { return f.pkg != "." }) {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				if looseEnd.MatchString(c.Text) && !looseIssue.MatchString(c.Text) {
					t.Errorf("%s: write TODO(#issue), or do it", f.place(c))
				}
			}
		}
	}
}
