package doctree_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/lib/doctree"
)

func parse(t *testing.T, text string) *doctree.Node {
	t.Helper()
	n, err := doctree.Parse("doc.yaml", []byte(text))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return n
}

func TestParseToJSON(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"block mapping", "b: 1\na: [x, y]\n", `{"b":1,"a":["x","y"]}`},
		{"order of keys and last duplicate", `{"z":1,"a":2,"z":3}`, `{"a":2,"z":3}`},
		{"UTF-8 byte order mark, YAML", "\ufeffa: 1\n", `{"a":1}`},
		{"UTF-8 byte order mark, JSON", "\ufeff{\"a\":\"\\ud83d\\ude00\"}", `{"a":"😀"}`},
		{"UTF-16 little endian", "\xff\xfea\x00:\x00 \x001\x00", `{"a":1}`},
		{"UTF-16 big endian, surrogates", "\xfe\xff\x00{\x00\"\xd8\x3d\xde\x00\x00\"\x00:\x001\x00}", `{"😀":1}`},
		{"keys are their source text", "200: a\non: b\nyes: c\n1.0: d\n0x1F: e\n~: f\n", `{"200":"a","on":"b","yes":"c","1.0":"d","0x1F":"e","~":"f"}`},
		{"words that are not booleans", "[yes, no, on, off, y, n]", `["yes","no","on","off","y","n"]`},
		{"booleans and null", "[true, False, null, ~, '', \"null\"]", `[true,false,null,null,"","null"]`},
		{"empty value is null", "a:\nb: 1\n", `{"a":null,"b":1}`},
		{"numbers", "[1, 0x1F, 0o17, 1_000, 1.50, 1e3, .5, +7, -2]", `[1,31,15,1000,1.50,1e3,0.5,7,-2]`},
		{"numbers that JSON has not", "[.inf, -.Inf, .nan]", `[".inf","-.Inf",".nan"]`},
		{"numbers keep their text", `[12345678901234567890123, 1.10, 1E+2]`, `[12345678901234567890123,1.10,1E+2]`},
		{"dates are strings", "v: 2015-07-09\n", `{"v":"2015-07-09"}`},
		{"merge sign as a value", "a: <<\n", `{"a":"<<"}`},
		{"quoted merge key is a key", "\"<<\": {a: 1}\n", `{"<<":{"a":1}}`},
		{"custom tags", "a: !Sub 'x-${y}'\nb: !GetAtt a.b\nc: !Join [x, [y]]\n", `{"a":"x-${y}","b":"a.b","c":["x",["y"]]}`},
		{"standard tags", "[!!str 200, !!int '3', !!float 1, !!int x]", `["200",3,1,"x"]`},
		{"alias", "a: &x {k: 1}\nb: *x\nc: [*x]\n", `{"a":{"k":1},"b":{"k":1},"c":[{"k":1}]}`},
		{"alias as a key", "a: &x k\n*x : 1\n", `{"a":"k","k":1}`},
		{"anchor defined twice", "a: &x 1\nb: *x\nc: &x 2\nd: *x\n", `{"a":1,"b":1,"c":2,"d":2}`},
		{"merge key", "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3, z: 4}\n", `{"a":{"x":1,"y":2},"b":{"x":1,"y":3,"z":4}}`},
		{"merge key in the middle", "b: {y: 3, <<: {x: 1, y: 2}, z: 4}\n", `{"b":{"y":3,"x":1,"z":4}}`},
		{"merge list, first wins", "b: {<<: [{x: 1}, {x: 2, y: 2}]}\n", `{"b":{"x":1,"y":2}}`},
		{"merge of a merged mapping", "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n", `{"a":{"x":1},"b":{"x":1,"y":2},"c":{"x":1,"y":2}}`},
		{"block scalars", "a: |\n  x\n  y\nb: >-\n  x\n  y\n", `{"a":"x\ny\n","b":"x y"}`},
		{"flow YAML that is not JSON", "{a: 1, 'b': [2,],}", `{"a":1,"b":[2]}`},
		{"JSON escapes", `{"a":"\u00e9\/\t\ud83d\ude00\u0000"}`, `{"a":"é/\t😀\u0000"}`},
		{"JSON with tabs", "{\n\t\"a\":\t1\n}", `{"a":1}`},
		{"quotes and backslashes", `["a\\b", "\""]`, `["a\\b","\""]`},
		{"HTML stays", `["<a&b>"]`, `["<a&b>"]`},
		{"one document with marks", "# comment\n---\na: 1\n...\n---\n", `{"a":1}`},
		{"scalar document", "hello", `"hello"`},
		{"empty collections", `{"a":{},"b":[]}`, `{"a":{},"b":[]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string(parse(t, tc.text).JSON()); got != tc.want {
				t.Errorf("JSON\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestSameTree holds that a document says the same in YAML and in JSON.
func TestSameTree(t *testing.T) {
	yaml := parse(t, "a: 1\nb: [x, 2.5, true, null]\nc: {d: 9007199254740993}\n")
	json := parse(t, `{"a":1,"b":["x",2.5,true,null],"c":{"d":9007199254740993}}`)
	want := map[string]any{
		"a": int64(1), "b": []any{"x", 2.5, true, nil}, "c": map[string]any{"d": int64(9007199254740993)},
	}
	if diff := cmp.Diff(want, yaml.Raw()); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, json.Raw()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestPlaces(t *testing.T) {
	const yaml = `# comment
info:
  title: é x
  list: [a, {"b": c}]
base: &base
  k: 1
use: *base
text: |
  body
empty:
`
	const json = "{\n  \"info\": {\"é\": 1, \"list\":\n[ true ,\r\n null]},\n\t\"s\" : \"a\\n\", \"n\": -1.5e3\n}"
	for _, tc := range []struct {
		name, text, pointer string
		line, column        int
	}{
		{"YAML block mapping", yaml, "/info", 3, 3},
		{"YAML scalar", yaml, "/info/title", 3, 10},
		{"YAML flow item", yaml, "/info/list/0", 4, 10},
		{"YAML flow mapping in a sequence", yaml, "/info/list/1", 4, 13},
		{"YAML value in a flow mapping", yaml, "/info/list/1/b", 4, 19},
		{"alias stands where it is used", yaml, "/use", 7, 6},
		{"beneath an alias, where it is written", yaml, "/use/k", 6, 6},
		{"block scalar at its sign", yaml, "/text", 8, 7},
		{"JSON root", json, "", 1, 1},
		{"JSON object", json, "/info", 2, 11},
		{"JSON column in characters", json, "/info/é", 2, 17},
		{"JSON array", json, "/info/list", 3, 1},
		{"JSON literal", json, "/info/list/0", 3, 3},
		{"JSON null after CRLF", json, "/info/list/1", 4, 2},
		{"JSON string after tab", json, "/s", 5, 8},
		{"JSON number", json, "/n", 5, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := parse(t, tc.text).At(tc.pointer)
			if n == nil {
				t.Fatalf("nothing at %s", tc.pointer)
			}
			if n.Line != tc.line || n.Column != tc.column {
				t.Errorf("%s stands at %d:%d, want %d:%d", tc.pointer, n.Line, n.Column, tc.line, tc.column)
			}
		})
	}
	if k := parse(t, json).At("/info").Key("list"); k.Line != 2 || k.Column != 20 {
		t.Errorf("key list stands at %d:%d, want 2:20", k.Line, k.Column)
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct{ name, file, text, want string }{
		{"empty", "f.yaml", "", "f.yaml:1:1: the document is empty"},
		{"comments only", "f.yaml", "# x\n\n", "f.yaml:1:1: the document is empty"},
		{"mark only", "f.yaml", "---\n", "f.yaml:1:1: the document is empty"},
		{"empty JSON file", "f.json", " \n", "f.json:1:1: the document is empty"},
		{"second document", "f.yaml", "a: 1\n---\nb: 1\n", "f.yaml:2:1: a second YAML document begins here"},
		{"invalid UTF-8", "f.yaml", "a: 1\nb: é\xff\n", "f.yaml:2:5: the text is not valid UTF-8 here"},
		{"half of UTF-16", "f.yaml", "\xff\xfea\x00b", "f.yaml: the document begins as UTF-16"},
		{"UTF-16 without mark", "f.yaml", "a\x00:\x00 \x001\x00", "f.yaml:1:2: the control character U+0000 is not allowed here (save the file as UTF-8"},
		{"control character", "f.yaml", "a: 1\nb: x\x01\n", "f.yaml:2:5: the control character U+0001"},
		{"tab", "f.yaml", "a: 1\nb: 2\n\tc: 3\nd: 4\ne: 5\n", "f.yaml:3:1: found a tab character that violates indentation (indent with spaces"},
		{"tab before a list", "f.yaml", "a:\n\t- b\n", "f.yaml:2:1: found character that cannot start any token (indent with spaces"},
		{"missing colon", "f.yaml", "a: 1\nbbb\nc: 1\n", "f.yaml:2:1: could not find expected ':' (a colon and a space are missing"},
		{"missing space", "f.yaml", "a: 1\nb:2\nc: 1\n", "f.yaml:2:1: could not find expected ':' (a colon and a space are missing"},
		{"indented too far", "f.yaml", "a:\n  b: 1\n   c: 2\nd: 1\n", "f.yaml:3:4: mapping values are not allowed in this context (see that the line is indented"},
		{"indented too little", "f.yaml", "a:\n    b: 1\n  c: 2\nd: 1\ne: 2\n", "f.yaml:3:3: did not find expected key (see that the line is indented"},
		{"list among keys", "f.yaml", "a:\n- b\n- c: 1\n  - d\nb: 1\nd: 1\n", "f.yaml:4:5: did not find expected key"},
		{"percent", "f.yaml", "a: 1\nb: %x\nc: 1\n", "f.yaml:2:4: found character that cannot start any token (put a text that begins with % in quotes"},
		{"at", "f.yaml", "b: @x\nc: 1\n", "f.yaml:1:4: found character that cannot start any token (put a text that begins with @ in quotes"},
		{"brace then text", "f.yaml", "a: 1\nb: {x}/y\nc: 1\nd: 1\n", "f.yaml:2:4: did not find expected key (put a text that begins with { in quotes"},
		{"brace not closed", "f.yaml", "a: 1\nb: {x\nc: 1\nd: 2\n", "f.yaml:2:4: did not find expected ',' or '}' (put a text that begins with { in quotes, or close"},
		{"colon in text", "f.yaml", "a: 1\nb: x: y\nc: 1\n", "f.yaml:2:4: mapping values are not allowed in this context (put a text that holds a colon in quotes"},
		{"quote in quotes", "f.yaml", "a: 1\nb: 'it's'\nc: 1\n", "f.yaml:2:4: did not find expected key (nothing may follow the closing '"},
		{"quote not closed", "f.yaml", "a: 1\nb: \"x\nc: 1\nd: 2\n", "f.yaml:2:4: found unexpected end of stream"},
		{"far below the block's beginning", "f.yaml", strings.Repeat("a: 1\n", 500) + "b: \"x\" y\nc: 1\n", "f.yaml:501:4: did not find expected key (nothing may follow"},
		{"unknown anchor", "f.yaml", "a: 1\nb: [1, *foo]\nc: *foobar\n", "f.yaml:2:8: no anchor &foo stands before the alias *foo"},
		{"unknown anchor, not the longer one", "f.yaml", "a: &foobar 1\nb: *foobar\nc: *foo\n", "f.yaml:3:4: no anchor &foo"},
		{"anchor in itself", "f.yaml", "a: 1\nb: &x\n  - *x\n", "f.yaml:3:5: the anchor &x contains itself"},
		{"merge of a number", "f.yaml", "a: 1\n<<: 3\n", "f.yaml:2:5: a merge key (<<) needs a mapping"},
		{"key that is a list", "f.yaml", "a: 1\n? [b]\n: 2\n", "f.yaml:2:3: a key has to be text, not a sequence"},
		{"several at once", "f.yaml", "? [b]\n: 2\n? {c: d}\n: 2\n", "f.yaml:1:3: a key has to be text, not a sequence (put the key in quotes)\nf.yaml:3:3: a key"},
		{"JSON comma at the end", "f.json", "{\n  \"a\": 1,\n}", "f.json:3:1: invalid character '}' looking for beginning of object key string (remove the comma"},
		{"JSON comma missing", "f.json", "{\"a\": 1\n \"b\": 2}", "f.json:2:2: invalid character '\"' after object key:value pair (a comma"},
		{"JSON misspelt literal", "f.json", "{\"a\": tru}", "f.json:1:10: invalid character '}' in literal true"},
		{"JSON not closed", "f.json", "{\"a\": [1,\n 2", "f.json:2:3: unexpected end of JSON input (a bracket"},
		{"JSON tab in a string", "f.json", "{\"é\": \"\t\"}", "f.json:1:8: invalid character '\\t' in string literal (write control"},
		{"JSON followed by more", "f.json", "{}\n{}", "f.json:2:1: invalid character '{' after top-level value (one file"},
		{"JSON without a name", "", "{\"a\": 1\n \"b\": 2}", ":2:2: invalid character '\"' after object key:value pair"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := doctree.Parse(tc.file, []byte(tc.text))
			if err == nil {
				t.Fatalf("no error; read as %s", n.JSON())
			}
			if !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("\n got %s\nwant %s…", err, tc.want)
			}
			var all doctree.Errors
			var one *doctree.Error
			if !errors.As(err, &all) || !errors.As(err, &one) {
				t.Errorf("error is a %T, want Errors with an Error in it", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	longText := "a: &a " + strings.Repeat("x", 100_000) + "\nb: [" + strings.TrimSuffix(strings.Repeat("*a, ", 1000), ", ") + "]\n"
	deepAlias := "a: &a [[[[x]]]]\nb: [[[[[[*a]]]]]]\n"
	for _, tc := range []struct {
		name, text string
		limits     doctree.Limits
		want       string // empty: no error
	}{
		{"size reached", "a: 12345", doctree.Limits{Bytes: 8}, ""},
		{"size passed", "a: 123456", doctree.Limits{Bytes: 8}, "the document has 9 bytes"},
		{"YAML depth reached", "[[[x]]]", doctree.Limits{Depth: 3}, ""},
		{"YAML depth passed", "[[[\n[x]]]]", doctree.Limits{Depth: 3}, ":2:1: values are nested more than 3 deep"},
		{"JSON depth reached", `{"a":[{}]}`, doctree.Limits{Depth: 3}, ""},
		{"JSON depth passed", `{"a":[{"b":[]}]}`, doctree.Limits{Depth: 3}, ":1:12: values are nested more than 3 deep"},
		{"default depth, YAML", strings.Repeat("[", 300) + "x" + strings.Repeat("]", 300), doctree.Limits{}, "nested more than 200 deep"},
		{"default depth, JSON", strings.Repeat("[", 300) + strings.Repeat("]", 300), doctree.Limits{}, "nested more than 200 deep"},
		{"deeper than any parser goes", strings.Repeat("[", 100_000), doctree.Limits{}, "max depth"},
		{"depth through an alias reached", deepAlias, doctree.Limits{Depth: 11}, ""},
		{"depth through an alias passed", deepAlias, doctree.Limits{Depth: 10}, ":2:10: values are nested more than 10 deep"},
		{"expansion reached", "a: &a [x, x]\nb: [*a, *a]\n", doctree.Limits{Expansion: 6}, ""},
		{"expansion passed", "a: &a [x, x]\nb: [*a, *a]\n", doctree.Limits{Expansion: 5}, ":2:9: aliases expand the document by more than 5 values"},
		{"expansion by merge keys", "a: &a {x: 1, y: 1}\nb: {<<: *a}\n", doctree.Limits{Expansion: 4}, "aliases expand"},
		{"billion laughs", bomb.String(), doctree.Limits{}, "aliases expand the document by more than 1000000 values"},
		{"long text a thousand times", longText, doctree.Limits{}, "aliases expand"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := doctree.ParseWithin("", []byte(tc.text), tc.limits)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}
