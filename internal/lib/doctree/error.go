package doctree

import (
	"fmt"
	"strings"
)

// Error says what is wrong with a document, where, and what to do about it.
type Error struct {
	// File is the name that was given to Parse; it may be empty.
	File string
	// Line and Column count from 1, Column in characters. Line is 0 when the whole document is meant, Column is 0 when
	// only the line is known.
	Line, Column int
	// Message says what is wrong, Hint what to do next; Hint may be empty.
	Message, Hint string
}

// Error returns "file:line:column: message (hint)", without the parts that are not known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Errors is everything that Parse found wrong, in the order of the document, never empty. It is the one type of error
// that Parse returns; errors.As finds the first *Error in it too.
type Errors []*Error

// Error returns one line for each error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each error.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}
