package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity says what a diagnostic means for the definition it speaks of.
type Severity uint8

// The severities, the gravest first.
const (
	// Error: the definition does not compile and is not published.
	Error Severity = iota
	// Warning: it compiles, and something in it does not do what it says.
	Warning
	// Info: kept and without effect on serving.
	Info
)

// String gives the word that is printed.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "info"
	}
}

// Place is where in the user's input a thing stands. Line and Column count from 1; 0 means unknown. Pointer is a JSON
// pointer into the document or a path of the management API.
type Place struct {
	File    string
	Line    int
	Column  int
	Pointer string
}

// String gives file:line:column as far as they are known, else the pointer.
func (p Place) String() string {
	if p.File == "" {
		return p.Pointer
	}
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Diagnostic is one thing wrong with a definition.
type Diagnostic struct {
	Severity Severity
	// Code is a word for machines and for the reference, such as "open-operation".
	Code string
	// Place is where the user can mend it.
	Place Place
	// Message is one sentence without a full stop.
	Message string
	// Hint says what to do; may be empty.
	Hint string
}

// String gives the one or two lines that every command and log prints.
func (d Diagnostic) String() string {
	var b strings.Builder
	if p := d.Place.String(); p != "" {
		b.WriteString(p)
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s [%s]: %s", d.Severity, d.Code, d.Message)
	if d.Hint != "" {
		b.WriteString("\n    hint: ")
		b.WriteString(d.Hint)
	}
	return b.String()
}

// Diagnostics is a list of them. The zero value is empty and ready to use; it is not safe for concurrent use.
type Diagnostics []Diagnostic

// Add appends one diagnostic.
func (ds *Diagnostics) Add(s Severity, code string, at Place, hint, format string, args ...any) {
	*ds = append(*ds, Diagnostic{Severity: s, Code: code, Place: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// HasErrors reports whether one of them keeps the definition from being published.
func (ds Diagnostics) HasErrors() bool { return ds.Count(Error) > 0 }

// Count gives the number of diagnostics of one severity.
func (ds Diagnostics) Count(s Severity) int {
	n := 0
	for _, d := range ds {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Sort orders them by file, place, gravity and code, and drops repetitions.
func (ds *Diagnostics) Sort() {
	slices.SortStableFunc(*ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Place.File, b.Place.File),
			cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Column, b.Place.Column),
			cmp.Compare(a.Place.Pointer, b.Place.Pointer),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	*ds = slices.Compact(*ds)
}
