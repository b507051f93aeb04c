package doctree

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits bound what a document may cost. A field that is 0 stands for its default.
type Limits struct {
	// Bytes is the greatest size of the document; 64 MiB by default.
	Bytes int
	// Depth is how deeply mappings and sequences may be nested, aliases followed; 200 by default.
	Depth int
	// Expansion is how many nodes aliases and merge keys may add to what is written; 1,000,000 by default. A node counts
	// once, and once more for each 64 bytes of its text.
	Expansion int
}

const (
	defaultBytes     = 64 << 20
	defaultDepth     = 200
	defaultExpansion = 1_000_000
)

// Parse reads a document within the default limits. The name appears in errors and, when it ends in .json, says that the
// document is JSON. Any error is of type Errors. The tree keeps no reference to data.
//
// A document that begins with { or [ and is JSON is read as JSON, any other as YAML. One named .json that begins so has
// to be JSON: YAML would take a misspelt literal such as tru for a string. UTF-8 and, with a byte order mark, UTF-16
// are read.
func Parse(name string, data []byte) (*Node, error) { return ParseWithin(name, data, Limits{}) }

// ParseWithin is Parse with other limits.
func ParseWithin(name string, data []byte, limits Limits) (*Node, error) {
	limits.Bytes = cmp.Or(limits.Bytes, defaultBytes)
	limits.Depth = cmp.Or(limits.Depth, defaultDepth)
	limits.Expansion = cmp.Or(limits.Expansion, defaultExpansion)

	src := &source{file: name, limits: limits}
	if err := src.load(data); err != nil {
		return nil, Errors{err}
	}
	n, errs := src.parse()
	if len(errs) > 0 {
		return nil, errs
	}
	return n, nil
}

// source is a document as UTF-8 text without a byte order mark.
type source struct {
	file   string
	text   []byte
	limits Limits
}

func (s *source) parse() (*Node, Errors) {
	start := bytes.TrimLeft(s.text, " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return s.parseYAML()
	}
	n, jsonErr := s.parseJSON()
	if jsonErr == nil {
		return n, nil
	}
	if errors.Is(jsonErr.cause, errTooDeep) || strings.HasSuffix(strings.ToLower(s.file), ".json") {
		return nil, Errors{jsonErr.Error}
	}
	n, errs := s.parseYAML()
	if len(errs) > 0 && strings.HasPrefix(strings.TrimLeft(string(start[1:min(len(start), 512)]), " \t\r\n"), `"`) {
		return nil, Errors{jsonErr.Error} // {"…: meant as JSON
	}
	return n, errs
}

func (s *source) errorAt(line, column int, message, hint string) *Error {
	return &Error{File: s.file, Line: line, Column: column, Message: message, Hint: hint}
}

// errorAtOffset places an error at a byte of the text.
func (s *source) errorAtOffset(offset int, message, hint string) *Error {
	before := s.text[:min(max(offset, 0), len(s.text))]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return s.errorAt(bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(before[lineStart:])+1, message, hint)
}

// tooDeep is said of JSON and YAML alike.
func (s *source) tooDeep(line, column int) *Error {
	return s.errorAt(line, column, fmt.Sprintf("values are nested more than %d deep", s.limits.Depth), "flatten the document")
}

func (s *source) load(data []byte) *Error {
	if len(data) > s.limits.Bytes {
		return s.errorAt(0, 0, fmt.Sprintf("the document has %d bytes, more than the %d allowed", len(data), s.limits.Bytes),
			"split it into smaller documents")
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return s.loadUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return s.loadUTF16(data[2:], binary.BigEndian)
	}
	s.text = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(s.text) {
		return nil
	}
	return s.errorAtOffset(firstInvalid(s.text), "the text is not valid UTF-8 here", "save the file as UTF-8")
}

func (s *source) loadUTF16(data []byte, order binary.ByteOrder) *Error {
	if len(data)%2 != 0 {
		return s.errorAt(0, 0, "the document begins as UTF-16 but ends in the middle of a character", "save the file as UTF-8")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	s.text = []byte(string(utf16.Decode(units)))
	return nil
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}
