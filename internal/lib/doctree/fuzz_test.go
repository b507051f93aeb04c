package doctree_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/lib/doctree"
)

// FuzzParse holds that any text is either refused with Errors or gives a tree that is well formed, whose JSON is valid
// and reads back as the same JSON.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a: 1\nb: [x, {y: z}]\n", `{"a":[1,2.5e3,"\ud83d\ude00",null,true]}`, "a: &x {k: 1}\nb: {<<: *x}\n", "a: &x [*x]\n",
		"\xff\xfea\x00", "\ufeff{}", "a: !Sub |\n  x\n", "? [a]\n: b\n", "a: 1\n---\nb\n", "a: .inf\nb: 0x1F\nc: 1_0\n",
		"a:\n\t- b\n", "b: {x}/y\n", "*a : 1", "<<: [1]", "%YAML 1.1\n---\n!!set {a}\n", "- # c\n#\n - x", "'", "@", "{\"a\": 1,}",
	} {
		f.Add([]byte(seed))
	}
	limits := doctree.Limits{Bytes: 1 << 16, Depth: 50, Expansion: 10_000}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := doctree.ParseWithin("f", data, limits)
		if err != nil {
			checkErrors(t, err)
			return
		}
		checkTree(t, n, limits.Depth)
		doctree.Duplicates(n)
		text := n.JSON()
		if !json.Valid(text) {
			t.Fatalf("not JSON: %s", text)
		}
		n.Raw()
		if n.Kind == doctree.Scalar {
			return // a lone scalar is read as YAML
		}
		again, err := doctree.Parse("f.json", text)
		if err != nil {
			t.Fatalf("its JSON %s is refused: %v", text, err)
		}
		if diff := cmp.Diff(string(text), string(again.JSON())); diff != "" {
			t.Fatalf("JSON does not come back (-want +got):\n%s", diff)
		}
	})
}

func checkErrors(t *testing.T, err error) {
	t.Helper()
	var all doctree.Errors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("error is a %T: %v", err, err)
	}
	for _, e := range all {
		if e.Message == "" || e.Line < 0 || e.Column < 0 || e.Line == 0 && e.Column > 0 {
			t.Fatalf("malformed error %#v", e)
		}
	}
}

func checkTree(t *testing.T, n *doctree.Node, depth int) {
	t.Helper()
	if depth < 0 || n == nil || n.Line < 1 || n.Column < 1 || n.Tag == "" {
		t.Fatalf("malformed node %#v, %d levels left", n, depth)
	}
	switch n.Kind {
	case doctree.Mapping:
		for _, p := range n.Pairs {
			if p.Key.Kind != doctree.Scalar {
				t.Fatalf("key is a %s", p.Key.Kind)
			}
			checkTree(t, p.Value, depth-1)
		}
	case doctree.Sequence:
		for _, item := range n.Items {
			checkTree(t, item, depth-1)
		}
	case doctree.Scalar:
	default:
		t.Fatalf("kind %d", n.Kind)
	}
}
