package doctree

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

var errTooDeep = errors.New("too deep")

// jsonError is an Error with what the choice between JSON and YAML has to know about it.
type jsonError struct {
	*Error
	cause error
}

func (s *source) parseJSON() (*Node, *jsonError) {
	// A Decoder says where a token ends, but of a syntax error only how much it had read: the whole is checked first.
	if !json.Valid(s.text) {
		return nil, s.jsonSyntaxError()
	}
	dec := json.NewDecoder(bytes.NewReader(s.text))
	dec.UseNumber()
	r := &jsonReader{source: s, dec: dec, line: 1, column: 1}
	n, err := r.value(0)
	if errors.Is(err, errTooDeep) {
		return nil, &jsonError{s.tooDeep(r.line, r.column), err}
	}
	if err != nil { // cannot be after the check above
		return nil, &jsonError{s.errorAt(r.line, r.column, err.Error(), ""), err}
	}
	return n, nil
}

func (s *source) jsonSyntaxError() *jsonError {
	var discard json.RawMessage
	err := json.Unmarshal(s.text, &discard)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &jsonError{s.errorAt(0, 0, "the document is not JSON", ""), err}
	}
	message := syntax.Error()
	offset := int(syntax.Offset) - 1 // Offset counts the bytes read, the offending one included
	if message == "unexpected end of JSON input" {
		offset = len(s.text)
	}
	return &jsonError{s.errorAtOffset(offset, message, jsonHint(message)), err}
}

// jsonHint guesses the usual cause of a syntax error from encoding/json's words; an unknown one gets no hint.
func jsonHint(message string) string {
	for _, h := range []struct{ words, hint string }{
		{"unexpected end", "a bracket, a brace or a quote is not closed"},
		{"'}' looking for beginning of object key", "remove the comma before the closing brace"},
		{"']' looking for beginning of value", "remove the comma before the closing bracket"},
		{"looking for beginning of object key", "put the key in double quotes"},
		{"'/' looking for", "JSON has no comments"},
		{`'\'' looking for`, "JSON wants double quotes"},
		{"looking for beginning of value", "a value is missing, or a string is not in double quotes"},
		{"after object key:value pair", "a comma or the closing brace is missing before this"},
		{"after array element", "a comma or the closing bracket is missing before this"},
		{"after object key", "a colon is missing after the key"},
		{"after top-level value", "one file holds one document: remove what follows it"},
		{"in string literal", `write control characters as escapes: \n, \t, \u0000`},
		{"in string escape code", `write a backslash itself as \\`},
		{"in literal", "the only bare words are true, false and null"},
	} {
		if strings.Contains(message, h.words) {
			return h.hint
		}
	}
	return ""
}

// jsonReader builds the tree from valid JSON. Its cursor follows the decoder to each token's first byte.
type jsonReader struct {
	*source
	dec          *json.Decoder
	pos          int // in text, at line and column
	line, column int
}

// seek moves the cursor to where the next token begins.
func (r *jsonReader) seek() {
	end := int(r.dec.InputOffset())
	for end < len(r.text) && isJSONSpace(r.text[end]) {
		end++
	}
	for ; r.pos < end; r.pos++ {
		switch c := r.text[r.pos]; {
		case c == '\n':
			r.line++
			r.column = 1
		case utf8.RuneStart(c):
			r.column++
		}
	}
}

// isJSONSpace tells whether a byte can stand between two tokens.
func isJSONSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ':'
}

func (r *jsonReader) value(depth int) (*Node, error) {
	r.seek()
	n := &Node{Kind: Scalar, Line: r.line, Column: r.column}
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case string:
		n.Style, n.Tag, n.Value = DoubleQuoted, TagString, t
	case json.Number:
		n.Tag, n.Value = TagInt, string(t)
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = TagFloat
		}
	case bool:
		n.Tag, n.Value = TagBool, "false"
		if t {
			n.Value = "true"
		}
	case nil:
		n.Tag, n.Value = TagNull, "null"
	case json.Delim:
		if depth >= r.limits.Depth {
			return nil, errTooDeep
		}
		if n.Style = Flow; t == '[' {
			return n, r.sequence(n, depth+1)
		}
		return n, r.mapping(n, depth+1)
	}
	return n, nil
}

func (r *jsonReader) sequence(n *Node, depth int) error {
	n.Kind, n.Tag = Sequence, TagSequence
	for r.dec.More() {
		item, err := r.value(depth)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, err := r.dec.Token()
	return err
}

func (r *jsonReader) mapping(n *Node, depth int) error {
	n.Kind, n.Tag = Mapping, TagMapping
	for r.dec.More() {
		key, err := r.value(depth)
		if err != nil {
			return err
		}
		value, err := r.value(depth)
		if err != nil {
			return err
		}
		n.Pairs = append(n.Pairs, Pair{Key: key, Value: value})
	}
	n.buildIndex()
	_, err := r.dec.Token()
	return err
}
