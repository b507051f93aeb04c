package exchange

import (
	"encoding/binary"
	"unicode/utf8"

	"gatehouse/internal/lib/percent"
	"gatehouse/internal/snapshot"
)

// Escape says for which place a text is evaluated.
type Escape uint8

// The places. Constants of the text are never escaped, only what it refers to.
const (
	// Raw is for header values: line breaks and NUL are left out, so that no value can add a header.
	Raw Escape = iota
	// PathSegment is for the path of a backend's URL: path variables stay as they came, others are encoded.
	PathSegment
	// QueryValue is for a query: values are percent-encoded.
	QueryValue
	// JSONString is for the inside of a JSON string.
	JSONString
	// LogLine is for one line of text: control characters, quotes and backslashes are escaped, an empty value is "-".
	LogLine
	// LogJSON is JSONString with "-" for an empty value.
	LogJSON
)

// Append evaluates a text. It does not allocate when dst has room.
func (x *Exchange) Append(dst []byte, t snapshot.Text, e Escape) []byte {
	for i := range t {
		if s := &t[i]; s.Source == snapshot.Literal {
			dst = append(dst, s.Name...)
		} else {
			dst = x.appendReference(dst, s, e)
		}
	}
	return dst
}

// appendReference evaluates into dst itself and then escapes what was added, in place where nothing needs it.
func (x *Exchange) appendReference(dst []byte, s *snapshot.Segment, e Escape) []byte {
	if e == PathSegment && s.Source == snapshot.RequestPath {
		return append(dst, x.Param(s.Index)...)
	}
	start, plain := len(dst), false
	if s.Source == snapshot.Context {
		dst = x.appendContext(dst, s.Var)
		plain = 1<<s.Var&plainVars != 0 && !e.ofURL() || s.Var == snapshot.CtxErrorMessageString
	} else {
		dst = x.AppendValue(dst, s)
	}
	switch {
	case len(dst) == start && (e == LogLine || e == LogJSON):
		return append(dst, '-')
	case plain || clean(dst[start:], e):
		return dst
	}
	return escape(dst, start, e)
}

// plainVars are the members of $context that have no byte to escape in any text, by what they are: ids, numbers, times
// and the gateway's own words.
const plainVars uint64 = 1<<snapshot.CtxRequestID | 1<<snapshot.CtxAWSEndpointRequestID | 1<<snapshot.CtxExtendedRequestID |
	1<<snapshot.CtxRequestTime | 1<<snapshot.CtxRequestTimeEpoch | 1<<snapshot.CtxStatus | 1<<snapshot.CtxIntegrationStatus |
	1<<snapshot.CtxResponseLatency | 1<<snapshot.CtxIntegrationLatency | 1<<snapshot.CtxResponseLength |
	1<<snapshot.CtxDataProcessed | 1<<snapshot.CtxErrorResponseType

// escape escapes dst[start:]. It is rare: it works behind the value, then moves the result to where the value began.
func escape(dst []byte, start int, e Escape) []byte {
	end := len(dst)
	switch e {
	case PathSegment:
		dst = percent.AppendSegment(dst, dst[start:end])
	case QueryValue:
		dst = percent.AppendQuery(dst, dst[start:end])
	case JSONString, LogJSON:
		dst = AppendJSON(dst, dst[start:end])
	case LogLine:
		dst = appendJSONControls(dst, dst[start:end])
	case Raw:
		dst = appendHeaderSafe(dst, dst[start:end])
	}
	n := copy(dst[start:], dst[end:])
	return dst[:start+n]
}

// ofURL reports whether the place is in a URL, where more is escaped than in texts.
func (e Escape) ofURL() bool { return e == PathSegment || e == QueryValue }

// clean reports whether a value can stay as it is.
func clean(v []byte, e Escape) bool {
	if len(v) >= 8 && !e.ofURL() && ordinary(v) {
		return true
	}
	bit := byte(1) << e
	for _, c := range v {
		if unclean[c]&bit != 0 {
			return false
		}
	}
	return true
}

// ordinary reports whether eight bytes or more are all printable ASCII and neither quote nor backslash: then nothing is
// escaped in any text. It looks at eight bytes at once; the last eight may overlap those before.
func ordinary(v []byte) bool {
	for i := 0; i < len(v)-8; i += 8 {
		if special(binary.LittleEndian.Uint64(v[i:])) {
			return false
		}
	}
	return !special(binary.LittleEndian.Uint64(v[len(v)-8:]))
}

// special reports whether one of eight bytes is not ordinary. A byte is below n when taking n away borrows from its
// highest bit; it is c when it is below 1 after an exclusive or with c.
func special(w uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	control := w - each*0x20
	quote, backslash, del := w^each*'"', w^each*'\\', w^each*0x7f
	found := control&^w | (quote-each)&^quote | (backslash-each)&^backslash | (del-each)&^del | w
	return found&high != 0
}

// unclean says by bits of Escape for which places a byte must be escaped. It is never changed.
var unclean = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		if c == '\r' || c == '\n' || c == 0 {
			t[i] |= 1 << Raw
		}
		if c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			t[i] |= 1<<JSONString | 1<<LogJSON
		}
		if c < 0x20 || c == 0x7f || c == '"' || c == '\\' {
			t[i] |= 1 << LogLine
		}
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~') {
			t[i] |= 1<<PathSegment | 1<<QueryValue
		}
	}
	return t
}()

func appendHeaderSafe(dst, v []byte) []byte {
	for _, c := range v {
		if c != '\r' && c != '\n' && c != 0 {
			dst = append(dst, c)
		}
	}
	return dst
}

const lowerHex = "0123456789abcdef"

// AppendJSON appends v as the inside of a JSON string.
func AppendJSON(dst, v []byte) []byte {
	for i := 0; i < len(v); {
		c := v[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRune(v[i:])
			dst = utf8.AppendRune(dst, r) // a broken byte becomes U+FFFD
			i += n
			continue
		}
		i++
	}
	return dst
}

func appendJSONControls(dst, v []byte) []byte {
	for _, c := range v {
		if c < 0x20 || c == 0x7f || c == '"' || c == '\\' {
			dst = append(dst, '\\', 'x', lowerHex[c>>4], lowerHex[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
