package config

import (
	"fmt"
	"strings"

	"gatehouse/internal/lib/doctree"
)

// maxExpanded bounds what all references of a config bring in together, in bytes.
const maxExpanded = 64 << 20

// stageVariables begins a reference that is AWS's own: it is filled in when the stage is compiled.
const stageVariables = "stageVariables."

// expand replaces the references in a scalar: ${NAME} by the environment's variable, ${file:PATH} by a file's text.
// $${ stands for ${, and ${stageVariables.NAME} stays. What a reference brings in is not looked at again.
func (d *decoder) expand(n *doctree.Node) (string, bool) {
	rest := n.Value
	if !strings.Contains(rest, "${") {
		return rest, true
	}
	var b strings.Builder
	ok := true
	for {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			b.WriteString(rest)
			return b.String(), ok
		}
		if literal, escaped := strings.CutSuffix(before, "$"); escaped {
			b.WriteString(literal)
			b.WriteString("${")
			rest = after
			continue
		}
		b.WriteString(before)
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			d.fail(codeBadReference, n, "close it, or write $${ for the two characters themselves", "a ${ has no }")
			return "", false
		}
		value, found := d.reference(n, name)
		ok = ok && found
		b.WriteString(value)
		rest = tail
	}
}

// reference gives what stands for the text between ${ and }.
func (d *decoder) reference(n *doctree.Node, name string) (string, bool) {
	file, isFile := strings.CutPrefix(name, "file:")
	var value string
	switch {
	case strings.HasPrefix(name, stageVariables):
		return "${" + name + "}", true
	case isFile:
		s, err := d.files.text(file)
		if err != nil {
			d.fail(codeUnreadableFile, n, "the path is relative to the folder of this file", "the file in %s cannot be read: %v",
				quote("${"+name+"}"), err)
			return "", false
		}
		value = s
	case isEnvName(name):
		s, set := d.env(name)
		if !set {
			d.fail(codeUnsetVariable, n, fmt.Sprintf("set %s before the start, or use ${file:PATH}", shorten(name)),
				"the variable %s is not set", shorten(name))
			return "", false
		}
		value = s
	default:
		d.fail(codeBadReference, n, "write ${NAME}, ${file:PATH}, or $${ for the two characters themselves",
			"%s is not a reference", quote("${"+name+"}"))
		return "", false
	}
	if d.expanded += len(value); d.expanded > maxExpanded {
		d.fail(codeBadReference, n, "use smaller files", "all references together bring in more than %d bytes", maxExpanded)
		return "", false
	}
	return value, true
}

func isEnvName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && c != '_' && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// consistsOf tells whether s has from 1 to most characters, all letters, digits or of the others.
func consistsOf(s, others string, most int) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= most
}
