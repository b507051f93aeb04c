package pathtree_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/lib/pathtree"
)

// tree builds a tree whose values are the route keys themselves.
func tree(t testing.TB, opts pathtree.Options, keys ...string) *pathtree.Tree[string] {
	t.Helper()
	tr := pathtree.New[string](opts)
	for _, k := range keys {
		method, path, _ := strings.Cut(k, " ")
		if err := tr.Add(method, path, k); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func captured(path string, c *pathtree.Captures) []string {
	var out []string
	for _, x := range c.C[:c.N] {
		out = append(out, path[x.Start:x.End])
	}
	return out
}

var rest = pathtree.Options{IgnoreTrailingSlash: true}

func TestLookupREST(t *testing.T) {
	tr := tree(t, rest,
		"GET /", "GET /pets", "POST /pets", "GET /pets/{id}", "ANY /pets/{id}", "GET /pets/mine", "GET /pets/{id}/toys/{toy}",
		"ANY /files/{path+}", "GET /files/readme", "GET /a b", "GET /deep/static/x", "GET /deep/{v}/y")
	for _, tc := range []struct {
		name, method, path, want string
		found                    pathtree.Found
		captures                 []string
	}{
		{"root", "GET", "/", "GET /", pathtree.Match, nil},
		{"static", "POST", "/pets", "POST /pets", pathtree.Match, nil},
		{"trailing slash is ignored", "GET", "/pets/", "GET /pets", pathtree.Match, nil},
		{"static beats variable", "GET", "/pets/mine", "GET /pets/mine", pathtree.Match, nil},
		{"static decides, not the method", "POST", "/pets/mine", "", pathtree.PathOnly, nil},
		{"variable", "GET", "/pets/7", "GET /pets/{id}", pathtree.Match, []string{"7"}},
		{"exact method beats ANY", "DELETE", "/pets/7", "ANY /pets/{id}", pathtree.Match, []string{"7"}},
		{"two variables", "GET", "/pets/7/toys/9/", "GET /pets/{id}/toys/{toy}", pathtree.Match, []string{"7", "9"}},
		{"greedy takes all", "PUT", "/files/a/b/c", "ANY /files/{path+}", pathtree.Match, []string{"a/b/c"}},
		{"greedy keeps the last slash", "PUT", "/files/a/", "ANY /files/{path+}", pathtree.Match, []string{"a/"}},
		{"greedy never matches its parent", "GET", "/files", "", pathtree.Nothing, nil},
		{"greedy never matches its parent with a slash", "GET", "/files/", "", pathtree.Nothing, nil},
		{"static under greedy", "GET", "/files/readme", "GET /files/readme", pathtree.Match, nil},
		{"unknown method", "DELETE", "/pets", "", pathtree.PathOnly, nil},
		{"unknown path", "GET", "/nothing", "", pathtree.Nothing, nil},
		{"a variable is never empty", "GET", "/pets//toys/1", "", pathtree.Nothing, nil},
		{"encoded slash stays in the variable", "GET", "/pets/a%2Fb", "GET /pets/{id}", pathtree.Match, []string{"a%2Fb"}},
		{"static is compared decoded", "GET", "/p%65ts", "GET /pets", pathtree.Match, nil},
		{"encoded blank", "GET", "/a%20b", "GET /a b", pathtree.Match, nil},
		{"goes back from a static dead end", "GET", "/deep/static/y", "GET /deep/{v}/y", pathtree.Match, []string{"static"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c pathtree.Captures
			got, found := tr.Lookup([]byte(tc.method), []byte(tc.path), &c)
			if got != tc.want || found != tc.found {
				t.Fatalf("got %q (%d), want %q (%d)", got, found, tc.want, tc.found)
			}
			if found == pathtree.Match {
				if d := cmp.Diff(tc.captures, captured(tc.path, &c)); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestLookupMethodFirst(t *testing.T) {
	tr := tree(t, pathtree.Options{MethodFirst: true},
		"GET /pets/mine", "ANY /pets/{id}", "ANY /pets/{proxy+}", "POST /{x+}", "GET /{a}/{b}")
	for _, tc := range []struct{ name, method, path, want string }{
		{"static with the method", "GET", "/pets/mine", "GET /pets/mine"},
		{"passes over a static path without the method", "POST", "/pets/mine", "ANY /pets/{id}"},
		{"full match beats greedy with a longer static part", "GET", "/x/y", "GET /{a}/{b}"},
		{"greedy when nothing matches in full", "GET", "/pets/a/b", "ANY /pets/{proxy+}"},
		{"greedy by method", "POST", "/x/y/z", "POST /{x+}"},
		{"trailing slash counts", "GET", "/pets/mine/", "ANY /pets/{proxy+}"},
		{"nothing", "GET", "/x/y/z", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c pathtree.Captures
			if got, _ := tr.Lookup([]byte(tc.method), []byte(tc.path), &c); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	many := ""
	for i := range pathtree.MaxCaptures + 1 {
		many += fmt.Sprintf("/{v%d}", i)
	}
	for _, tc := range []struct {
		name, path string
		want       error
	}{
		{"no slash", "pets", pathtree.ErrPattern},
		{"half a variable", "/pets{id}", pathtree.ErrPattern},
		{"empty segment", "/a//b", pathtree.ErrPattern},
		{"no name", "/{}", pathtree.ErrPattern},
		{"greedy not last", "/{a+}/b", pathtree.ErrPattern},
		{"too many variables", many, pathtree.ErrPattern},
		{"another variable at the place", "/pets/{other}", pathtree.ErrConflict},
		{"twice", "/pets/{id}", pathtree.ErrDuplicate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr := tree(t, rest, "GET /pets/{id}")
			if err := tr.Add("GET", tc.path, ""); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestLookupOfMany finds each of many paths below few nodes and the same segment below many.
func TestLookupOfMany(t *testing.T) {
	tr, paths := manyPatterns(t)
	if tr.Len() != len(paths) {
		t.Errorf("Len is %d, want %d", tr.Len(), len(paths))
	}
	var c pathtree.Captures
	for i, p := range paths {
		got, found := tr.Lookup([]byte("GET"), []byte(p), &c)
		if found != pathtree.Match || *got != i {
			t.Fatalf("%s: got %v (%d), want %d", p, got, found, i)
		}
		if _, found := tr.Lookup([]byte("GET"), []byte(p+"x/y"), &c); found != pathtree.Nothing {
			t.Fatalf("%sx/y: got %d, want nothing", p, found)
		}
	}
}

// TestLookupIsExact asks for so many paths that are not there that some share a whole hash with one that is.
func TestLookupIsExact(t *testing.T) {
	tr := pathtree.New[int](rest)
	for i := range 100_000 {
		if err := tr.Add("GET", "/"+strconv.Itoa(1_000_000+i), i); err != nil {
			t.Fatal(err)
		}
	}
	var c pathtree.Captures
	for i := range 1_000_000 {
		path := "/" + strconv.Itoa(2_000_000+i)
		if got, found := tr.Lookup([]byte("GET"), []byte(path), &c); found != pathtree.Nothing {
			t.Fatalf("%s: got %d (%d), want nothing", path, got, found)
		}
	}
}

func TestLookupLongSegments(t *testing.T) {
	for _, below := range []string{"", "/one", "/one/two"} {
		tr := tree(t, rest, "GET /one/two", "GET /one/three")
		for n := 1; n <= 300; n++ {
			if err := tr.Add("GET", below+"/"+strings.Repeat("x", n), strconv.Itoa(n)); err != nil {
				t.Fatal(err)
			}
		}
		var c pathtree.Captures
		for n := 1; n <= 300; n++ {
			// Decoded and as it is.
			for _, path := range []string{strings.Repeat("x", n), strings.Repeat("x", n-1) + "%78"} {
				if got, _ := tr.Lookup([]byte("GET"), []byte(below+"/"+path), &c); got != strconv.Itoa(n) {
					t.Fatalf("%s/%s: got %q, want %d", below, path, got, n)
				}
			}
			if _, found := tr.Lookup([]byte("GET"), []byte(below+"/"+strings.Repeat("x", n-1)+"y"), &c); found != pathtree.Nothing {
				t.Fatalf("%d letters and another one at the end: got %d, want nothing", n-1, found)
			}
		}
	}
}

func TestLookupOfManyMethods(t *testing.T) {
	methods := []string{"GET", "PUT", "POST", "ANY", "DELETE", "PATCH", "HEAD"}
	for first := range methods {
		// Every method comes first once, and last.
		order := slices.Concat(methods[first:], methods[:first])
		tr := pathtree.New[string](rest)
		for i, m := range order {
			if _, found := tr.Lookup([]byte(m), []byte("/pets"), new(pathtree.Captures)); i > 0 && found == pathtree.Nothing {
				t.Errorf("%s before it is added: the path is not found", m)
			}
			if err := tr.Add(m, "/pets", m); err != nil {
				t.Fatal(err)
			}
			if err := tr.Add(m, "/pets", m); !errors.Is(err, pathtree.ErrDuplicate) {
				t.Errorf("%s twice: got %v", m, err)
			}
		}
		for _, m := range append(order, "OPTIONS", "ge", "") {
			want := m
			if !slices.Contains(methods, m) {
				want = pathtree.Any
			}
			if got, _ := tr.Lookup([]byte(m), []byte("/pets"), new(pathtree.Captures)); got != want {
				t.Errorf("%s first, %q: got %q, want %q", order[0], m, got, want)
			}
		}
	}
}

func TestAddRefusesTooManyMethods(t *testing.T) {
	tr := tree(t, rest, "GET /")
	for i := range 1000 {
		method := "M" + strconv.Itoa(i)
		err := tr.Add(method, "/pets", method)
		got, found := tr.Lookup([]byte(method), []byte("/pets"), new(pathtree.Captures))
		switch {
		case err == nil && got != method:
			t.Fatalf("%s: got %q", method, got)
		case err != nil && (!errors.Is(err, pathtree.ErrMethods) || found != pathtree.PathOnly):
			t.Fatalf("%s: got %v, then %q (%d)", method, err, got, found)
		}
		if err != nil {
			return
		}
	}
	t.Error("the number of methods has no bound")
}

func TestLookupDoesNotAllocate(t *testing.T) {
	tr := tree(t, rest, "GET /pets/{id}/toys/{toy}", "ANY /files/{path+}")
	var c pathtree.Captures
	method, path := []byte("GET"), []byte("/p%65ts/7/t%6fys/%41")
	if _, found := tr.Lookup(method, path, &c); found != pathtree.Match {
		t.Fatal("the path is not found")
	}
	if n := testing.AllocsPerRun(100, func() { tr.Lookup(method, path, &c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzLookup holds the tree against a plain search through all patterns.
func FuzzLookup(f *testing.F) {
	patterns := []string{"/", "/a", "/a/b", "/a/{x}", "/a/{x}/c", "/{y}", "/{y}/b/{z+}", "/a/b/{w+}", "/c", "/a/d/e"}
	for _, s := range []string{"/", "/a/b", "/a/q/c/", "/%61/b", "//", "/z/b/c/d", "/a/b/"} {
		f.Add(s)
	}
	tr := pathtree.New[string](rest)
	for _, p := range patterns {
		if err := tr.Add("GET", p, p); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "%") {
			return
		}
		var c pathtree.Captures
		got, found := tr.Lookup([]byte("GET"), []byte(path), &c)
		matches := false
		for _, p := range patterns {
			matches = matches || matchesPlainly(p, path)
		}
		if (found == pathtree.Match) != matches {
			t.Errorf("%q: found %v %q, plain search %v", path, found, got, matches)
		}
		if found == pathtree.Match && !matchesPlainly(got, path) {
			t.Errorf("%q does not match %q", path, got)
		}
	})
}

func matchesPlainly(pattern, path string) bool {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	ps, ss := strings.Split(pattern[1:], "/"), strings.Split(path[1:], "/")
	for i, p := range ps {
		if strings.HasSuffix(p, "+}") {
			return i < len(ss) && strings.Join(ss[i:], "/") != ""
		}
		if i >= len(ss) || (p[:min(1, len(p))] == "{" && ss[i] == "") || (!strings.HasPrefix(p, "{") && p != ss[i]) {
			return false
		}
	}
	return len(ps) == len(ss)
}
