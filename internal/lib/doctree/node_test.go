package doctree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/lib/doctree"
)

// reading is what every accessor says of one value.
type reading struct {
	String, Text, Int, Float, Bool string // "" when not ok
	IsNull                         bool
}

func say[T any](v T, ok bool) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf("<%v>", v)
}

func read(n *doctree.Node) reading {
	return reading{
		say(n.String()), say(n.Text()), say(n.Int()), say(n.Float()), say(n.Bool()), n.IsNull(),
	}
}

func TestAccessors(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       reading
	}{
		{"plain string", "v: abc", reading{String: "<abc>", Text: "<abc>"}},
		{"quoted number", `v: "200"`, reading{String: "<200>", Text: "<200>"}},
		{"number", "v: 200", reading{Text: "<200>", Int: "<200>", Float: "<200>"}},
		{"hexadecimal", "v: 0x1F", reading{Text: "<0x1F>", Int: "<31>", Float: "<31>"}},
		{"underscores", "v: 1_000", reading{Text: "<1_000>", Int: "<1000>", Float: "<1000>"}},
		{"whole float", "v: 29000.0", reading{Text: "<29000.0>", Int: "<29000>", Float: "<29000>"}},
		{"broken float", "v: 1.5", reading{Text: "<1.5>", Float: "<1.5>"}},
		{"infinity", "v: -.inf", reading{Text: "<-.inf>", Float: "<-Inf>"}},
		{"beyond int64", "v: 18446744073709551615", reading{Text: "<18446744073709551615>", Float: "<1.8446744073709552e+19>"}},
		{"account with a leading zero", "v: 012345678901", reading{Text: "<012345678901>", Int: "<12345678901>", Float: "<1.2345678901e+10>"}},
		{"true", "v: true", reading{Text: "<true>", Bool: "<true>"}},
		{"quoted true", "v: 'true'", reading{String: "<true>", Text: "<true>"}},
		{"on", "v: on", reading{String: "<on>", Text: "<on>"}},
		{"date", "v: 2015-07-09", reading{String: "<2015-07-09>", Text: "<2015-07-09>"}},
		{"merge sign", "v: <<", reading{String: "<<<>", Text: "<<<>"}},
		{"custom tag", "v: !Ref abc", reading{Text: "<abc>"}},
		{"null", "v: null", reading{IsNull: true}},
		{"empty", "v:", reading{IsNull: true}},
		{"absent", "w: 1", reading{IsNull: true}},
		{"mapping", "v: {a: 1}", reading{}},
		{"JSON exponent", `{"v": 1e3}`, reading{Text: "<1e3>", Int: "<1000>", Float: "<1000>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, read(parse(t, tc.text).Get("v"))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTagAndStyle(t *testing.T) {
	type seen struct {
		Kind  doctree.Kind
		Tag   string
		Style doctree.Style
	}
	for _, tc := range []struct {
		name, text string
		want       seen
	}{
		{"plain", "v: a", seen{doctree.Scalar, "!!str", doctree.Plain}},
		{"single quotes", "v: 'a'", seen{doctree.Scalar, "!!str", doctree.SingleQuoted}},
		{"double quotes", `v: "a"`, seen{doctree.Scalar, "!!str", doctree.DoubleQuoted}},
		{"literal", "v: |\n  a", seen{doctree.Scalar, "!!str", doctree.Literal}},
		{"folded with a tag", "v: !Sub >\n  a", seen{doctree.Scalar, "!Sub", doctree.Folded}},
		{"flow sequence with a tag", "v: !Join [a]", seen{doctree.Sequence, "!Join", doctree.Flow}},
		{"block mapping", "v:\n  a: 1", seen{doctree.Mapping, "!!map", doctree.Plain}},
		{"JSON object", `{"v":{}}`, seen{doctree.Mapping, "!!map", doctree.Flow}},
		{"JSON string", `{"v":""}`, seen{doctree.Scalar, "!!str", doctree.DoubleQuoted}},
		{"JSON float", `{"v":1.0}`, seen{doctree.Scalar, "!!float", doctree.Plain}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := parse(t, tc.text).Get("v")
			if diff := cmp.Diff(tc.want, seen{v.Kind, v.Tag, v.Style}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestGet looks keys up in a mapping too small for an index and in one that has it.
func TestGet(t *testing.T) {
	for _, size := range []int{3, 100} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			var text strings.Builder
			for i := range size {
				fmt.Fprintf(&text, "k%d: %d\n", i, i)
			}
			text.WriteString("k1: again\nnothing:\n")
			n := parse(t, text.String())
			if v, _ := n.Get("k1").String(); v != "again" {
				t.Errorf("k1 is %q, want the last of its values", v)
			}
			if v, _ := n.Get("k2").Int(); v != 2 {
				t.Errorf("k2 is %d, want 2", v)
			}
			if n.Get("k") != nil || n.Has("k") || n.Key("k") != nil {
				t.Error("k is there, want it absent")
			}
			if !n.Has("nothing") || !n.Get("nothing").IsNull() {
				t.Error("nothing is not a key with a null value")
			}
			if k := n.Key("k1"); k.Line != size+1 {
				t.Errorf("key k1 stands on line %d, want %d", k.Line, size+1)
			}
		})
	}
}

func TestAbsentNode(t *testing.T) {
	var n *doctree.Node
	if n.Get("a").Get("b") != nil || n.Has("a") || n.Key("a") != nil || n.At("/a") != nil || n.Raw() != nil {
		t.Error("an absent node holds something")
	}
	if got := string(n.JSON()); got != "null" {
		t.Errorf("JSON is %s, want null", got)
	}
	if d := doctree.Duplicates(n); len(d) != 0 {
		t.Errorf("duplicates %v, want none", d)
	}
}

func TestPointers(t *testing.T) {
	n := parse(t, "paths:\n  /pets/{id}: {get: 1}\n  a~b: 2\n  '': 3\nlist: [x, [y]]\n")
	for _, tc := range []struct{ name, pointer, want string }{
		{"root", "", string(n.JSON())},
		{"slash", doctree.Pointer("paths", "/pets/{id}", "get"), "1"},
		{"slash, written", "/paths/~1pets~1{id}/get", "1"},
		{"tilde", "/paths/a~0b", "2"},
		{"empty key", "/paths/", "3"},
		{"item", "/list/1/0", `"y"`},
		{"past the end", "/list/2", "null"},
		{"leading zero", "/list/00", "null"},
		{"sign", "/list/-0", "null"},
		{"no slash", "paths", "null"},
		{"below a scalar", "/list/0/x", "null"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string(n.At(tc.pointer).JSON()); got != tc.want {
				t.Errorf("%q is %s, want %s", tc.pointer, got, tc.want)
			}
		})
	}
	for _, key := range []string{"~1", "/~", "~01", "a/b~c"} {
		if got := doctree.UnescapePointer(doctree.EscapePointer(key)); got != key {
			t.Errorf("%q comes back as %q", key, got)
		}
	}
}

func TestDuplicates(t *testing.T) {
	var large strings.Builder
	for i := range 40 {
		fmt.Fprintf(&large, "k%d: {}\n", i)
	}
	large.WriteString("k7: {x: 1, x: 2}\n")
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"none", `{"a":1,"b":{"a":1}}`, nil},
		{"JSON", "{\"a\":1,\n\"a\":2}", []string{"a 1:2 2:1"}},
		{"three times", "a: 1\na: 2\na: 3\n", []string{"a 1:1 2:1", "a 1:1 3:1"}},
		{"number and string", "200: 1\n\"200\": 2\n", []string{"200 1:1 2:1"}},
		{"nested, in the order of the document", "b:\n  - {x: 1, x: 2}\nb: 2\n", []string{"x 2:6 2:12", "b 1:1 3:1"}},
		{"beneath an anchor, once", "a: &a {x: 1, x: 2}\nb: *a\n", []string{"x 1:8 1:14"}},
		{"own key over a merged one is none", "a: {<<: {x: 1}, x: 2}\n", nil},
		{"large", large.String(), []string{"k7 8:1 41:1", "x 41:6 41:12"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, d := range doctree.Duplicates(parse(t, tc.text)) {
				got = append(got, fmt.Sprintf("%s %d:%d %d:%d", d.Key, d.First.Line, d.First.Column, d.Again.Line, d.Again.Column))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
