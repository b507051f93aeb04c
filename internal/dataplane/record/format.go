package record

import (
	"strings"
	"unicode/utf8"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/snapshot"
)

// MaxLine bounds a line, its line break not counted, in bytes. In a longer one every value is cut to an equal share of
// the room, which keeps JSON valid.
const MaxLine = 16 << 10

// cutMark ends a value that was cut.
const cutMark = "..."

// batch is how many segments are evaluated between two looks at the length.
const batch = 32

// line is a format made ready for evaluation.
type line struct {
	text   snapshot.Text
	escape exchange.Escape
	// share is the room for one value in a line that is too long.
	share int
}

// newLine prepares a format for the requests of a stage; nil for those that meet none. Without a format there is no line.
func newLine(f *snapshot.LogFormat, stage *snapshot.Stage) *line {
	if f == nil || len(f.Text) == 0 {
		return nil
	}
	l := &line{escape: exchange.LogLine}
	if f.JSON {
		l.escape = exchange.LogJSON
	}
	known := &exchange.Exchange{Stage: stage}
	room, values := MaxLine, 0
	for i, s := range f.Text {
		switch {
		case s.Source == snapshot.Literal:
			s.Name = strings.Map(oneLine, s.Name)
		case stage != nil && ofStage(s):
			s = snapshot.Segment{Name: string(known.Append(nil, f.Text[i:i+1], l.escape))}
		default:
			l.text = append(l.text, s)
			values++
			continue
		}
		room -= len(s.Name)
		if n := len(l.text); n > 0 && l.text[n-1].Source == snapshot.Literal {
			l.text[n-1].Name += s.Name
			continue
		}
		l.text = append(l.text, s)
	}
	l.share = max(room/max(values, 1), len(cutMark)+len(`""`))
	return l
}

// ofStage reports whether a value is the same for all requests of a stage, so that it need not be looked up each time.
func ofStage(s snapshot.Segment) bool {
	if s.Source != snapshot.Context {
		return false
	}
	switch s.Var {
	case snapshot.CtxAPIID, snapshot.CtxStage, snapshot.CtxAccountID, snapshot.CtxEndpointType, snapshot.CtxProtocol:
		return true
	default:
		return false
	}
}

// oneLine keeps a format that was written over several lines to one line a request.
func oneLine(r rune) rune {
	if r < ' ' && r != '\t' || r == 0x7f {
		return ' '
	}
	return r
}

// append evaluates the format, without a line break. It does not allocate when dst has room.
func (l *line) append(dst []byte, x *exchange.Exchange) []byte {
	start := len(dst)
	for i := 0; i < len(l.text); i += batch {
		dst = x.Append(dst, l.text[i:min(i+batch, len(l.text))], l.escape)
		if len(dst)-start > MaxLine {
			return l.appendCut(dst[:start], x)
		}
	}
	return dst
}

// appendCut evaluates the format with every value cut to its share.
func (l *line) appendCut(dst []byte, x *exchange.Exchange) []byte {
	start := len(dst)
	for i := range l.text {
		value := len(dst)
		dst = x.Append(dst, l.text[i:i+1], l.escape)
		if l.text[i].Source == snapshot.Literal || len(dst)-value <= l.share {
			continue
		}
		// $context.error.messageString brings its own quotes.
		quoted := l.text[i].Source == snapshot.Context && l.text[i].Var == snapshot.CtxErrorMessageString
		dst = dst[:value+cutAt(dst[value:], l.share-len(cutMark)-1, l.escape)]
		dst = append(dst, cutMark...)
		if quoted {
			dst = append(dst, '"')
		}
	}
	if len(dst)-start > MaxLine { // a format longer than compile lets through
		dst = append(dst[:start+MaxLine-len(cutMark)], cutMark...)
	}
	return dst
}

// cutAt gives the longest length up to limit at which an escaped value can be cut: between two characters.
func cutAt(v []byte, limit int, e exchange.Escape) int {
	i := 0
	for i < len(v) {
		n := width(v[i:], e)
		if i+n > limit {
			break
		}
		i += n
	}
	return i
}

// width is the length of the first character or escape of v, which is not empty.
func width(v []byte, e exchange.Escape) int {
	if v[0] != '\\' {
		_, n := utf8.DecodeRune(v)
		return n
	}
	switch {
	case len(v) < 2:
		return 1
	case v[1] == 'u' && e == exchange.LogJSON:
		return 6
	case v[1] == 'x' && e == exchange.LogLine:
		return 4
	case e == exchange.LogJSON:
		return 2
	}
	return 1
}
