package pathtree_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gatehouse/internal/lib/pathtree"
)

// manyPatterns builds a tree of 10,000 patterns and gives a path for each. Values are pointers, as routes are.
func manyPatterns(tb testing.TB) (*pathtree.Tree[*int], []string) {
	tb.Helper()
	tr := pathtree.New[*int](rest)
	paths := make([]string, 10_000)
	for i := range paths {
		pattern := fmt.Sprintf("/g%d/r%d", i/100, i%100)
		paths[i] = pattern
		if i%10 == 0 {
			pattern += "/items/{id}"
			paths[i] += "/items/4711"
		}
		if err := tr.Add("GET", pattern, &i); err != nil {
			tb.Fatal(err)
		}
	}
	return tr, paths
}

// BenchmarkLookup asks for one path again and again: all it touches is in the cache.
func BenchmarkLookup(b *testing.B) {
	tr, _ := manyPatterns(b)
	var c pathtree.Captures
	method, path := []byte("GET"), []byte("/g42/r40/items/4711")
	b.ReportAllocs()
	for b.Loop() {
		tr.Lookup(method, path, &c)
	}
}

// BenchmarkLookupCold asks for all paths in random order, as many clients do: it shows the cost of touching memory that
// belongs to one path only. One tree stays in the outer caches while nothing else wants them; many trees do not, and
// are near to what a lookup meets between all else that a request touches.
func BenchmarkLookupCold(b *testing.B) {
	for _, trees := range []int{1, 24} {
		b.Run(fmt.Sprintf("trees=%d", trees), func(b *testing.B) { lookupCold(b, trees) })
	}
}

// question is a path in one of the trees.
type question struct {
	tree *pathtree.Tree[*int]
	path []byte
}

func lookupCold(b *testing.B, trees int) {
	b.Helper()
	var all []question
	for range trees {
		tr, paths := manyPatterns(b)
		for _, p := range paths {
			all = append(all, question{tr, []byte(p)})
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// A request's path is at hand when it is looked up: here they stand in the order in which they are read.
	var text []byte
	for i := range all {
		text = append(text, all[i].path...)
	}
	for i := range all {
		n := len(all[i].path)
		all[i].path, text = text[:n:n], text[n:]
	}
	var c pathtree.Captures
	method := []byte("GET")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, found := all[i].tree.Lookup(method, all[i].path, &c); found != pathtree.Match {
			b.Fatalf("%s is not found", all[i].path)
		}
		if i++; i == len(all) {
			i = 0
		}
	}
}
