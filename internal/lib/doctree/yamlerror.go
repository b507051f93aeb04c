package doctree

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// yamlError turns the library's one error into a place and a hint. The library names the line where the surrounding
// block begins, which may be far above the mistake, so the text is looked at again.
func (s *source) yamlError(err error) *Error {
	line, problem := splitYAMLError(err)
	if anchor, ok := strings.CutPrefix(problem, "unknown anchor '"); ok {
		return s.unknownAnchor(strings.TrimSuffix(anchor, "' referenced"))
	}
	if problem == "control characters are not allowed" {
		return s.controlCharacter()
	}
	lines := bytes.Split(s.text, []byte("\n"))
	line = s.mistakenLine(lines, line, problem)
	column, hint := causeIn(string(lines[line-1]))
	if hint == "" {
		hint = yamlHint(problem)
	}
	return s.errorAt(line, column, problem, hint)
}

// splitYAMLError takes the library's message apart. It names no line when the mistake is on the first one.
func splitYAMLError(err error) (line int, problem string) {
	problem = strings.TrimPrefix(err.Error(), "yaml: ")
	rest, ok := strings.CutPrefix(problem, "line ")
	if !ok {
		return 0, problem
	}
	number, text, _ := strings.Cut(rest, ": ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, problem
	}
	return n, text
}

// mistakenLine returns the number of the line to show for a problem, within the text.
func (s *source) mistakenLine(lines [][]byte, reported int, problem string) int {
	switch {
	case strings.HasPrefix(problem, "did not find expected ','"),
		strings.HasPrefix(problem, "did not find expected node content"):
		reported++ // the line that opens the bracket, counted from 0
	case strings.HasPrefix(problem, "did not find expected key"),
		strings.HasPrefix(problem, "did not find expected '-'"),
		strings.HasPrefix(problem, "did not find expected <document start>"),
		strings.HasPrefix(problem, "found a tab character"):
		reported = s.firstToFail(lines, problem)
	}
	return min(max(reported, 1), len(lines))
}

// firstToFail finds the line with which a problem begins: the shortest beginning of the text that has it. Only the last
// lines that the library has read before it gave up come into question.
func (s *source) firstToFail(lines [][]byte, problem string) int {
	const candidates = 4
	r := &lineReader{rest: s.text}
	_, _, _ = decodeYAML(r)
	found := min(max(r.line, 1), len(lines))
	for i, tried := found, 0; i > 0 && tried < candidates; i-- {
		if len(bytes.TrimSpace(lines[i-1])) == 0 {
			continue
		}
		tried++
		_, _, err := decodeYAML(bytes.NewReader(append(bytes.Join(lines[:i], []byte("\n")), '\n')))
		if err == nil {
			break
		}
		if _, p := splitYAMLError(err); p == problem {
			found = i
		}
	}
	return found
}

// lineReader gives out one line at each Read and so shows how far its reader came.
type lineReader struct {
	rest []byte
	line int
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	end := bytes.IndexByte(r.rest, '\n') + 1
	if end == 0 {
		end = len(r.rest)
	}
	n := copy(p, r.rest[:end])
	if n == end {
		r.line++
	}
	r.rest = r.rest[n:]
	return n, nil
}

func (s *source) unknownAnchor(name string) *Error {
	message := fmt.Sprintf("no anchor &%s stands before the alias *%s", name, name)
	hint := fmt.Sprintf(`define it with &%s further up, or put a text that begins with * in quotes`, name)
	alias := regexp.MustCompile(`(?:^|[\s\[{,])(\*` + regexp.QuoteMeta(name) + `)(?:[\s\]},]|$)`)
	if at := alias.FindSubmatchIndex(s.text); at != nil {
		return s.errorAtOffset(at[2], message, hint)
	}
	return s.errorAt(0, 0, message, hint)
}

func (s *source) controlCharacter() *Error {
	for i, r := range string(s.text) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r <= 0x9f && r != 0x85 || r == 0xfffe || r == 0xffff {
			hint := `remove it, or write it as an escape in double quotes: "\x` + fmt.Sprintf(`%02x"`, r)
			if r == 0 {
				hint = "save the file as UTF-8; it looks like UTF-16 or a binary file"
			}
			return s.errorAtOffset(i, fmt.Sprintf("the control character U+%04X is not allowed here", r), hint)
		}
	}
	return s.errorAt(0, 0, "the document holds a control character", "save the file as UTF-8 text")
}

// causeIn looks for a usual mistake in a line that the library refuses. The column is 0 when there is none to show.
func causeIn(line string) (column int, hint string) {
	body := strings.TrimLeft(line, " \t")
	if tab := strings.IndexByte(line[:len(line)-len(body)], '\t'); tab >= 0 {
		return tab + 1, "indent with spaces, not tabs"
	}
	value := body
	for strings.HasPrefix(value, "- ") {
		value = strings.TrimLeft(value[2:], " ")
	}
	colon := strings.Index(value, ": ")
	if colon > 0 && strings.IndexByte(`"'{[`, value[0]) < 0 {
		value = strings.TrimLeft(value[colon+2:], " ")
	}
	value = strings.TrimRight(value, " \r")
	if value == "" {
		return 0, ""
	}
	column = utf8.RuneCountInString(line[:strings.LastIndex(line, value)]) + 1
	switch value[0] {
	case '*', '%', '@', '`', '!', '&':
		return column, fmt.Sprintf("put a text that begins with %c in quotes", value[0])
	case '{', '[':
		return column, fmt.Sprintf("put a text that begins with %c in quotes, or close the bracket", value[0])
	case '"', '\'':
		return column, fmt.Sprintf("nothing may follow the closing %c; see that quotes inside the text are escaped", value[0])
	case '|', '>':
		return column, "put the text on the lines below, each indented further than the key"
	}
	if strings.Contains(value, ": ") || strings.HasSuffix(value, ":") && colon > 0 {
		return column, "put a text that holds a colon in quotes"
	}
	if colon < 0 && !strings.HasSuffix(value, ":") {
		return column, "a colon and a space are missing after the key"
	}
	return utf8.RuneCountInString(line) - utf8.RuneCountInString(body) + 1,
		"see that the line is indented as its neighbours are"
}

// yamlHint is the hint for a problem whose line shows no cause.
func yamlHint(problem string) string {
	if strings.Contains(problem, "max depth") {
		return "flatten the document"
	}
	return "see the indentation, colons and quotes of this line and the one before"
}
