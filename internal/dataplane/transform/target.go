package transform

import (
	"bytes"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/lib/percent"
	"gatehouse/internal/snapshot"
)

func compileQueries(mapped []snapshot.Assign) []assignment {
	var out []assignment
	for i := range mapped {
		a := &mapped[i]
		name := string(percent.AppendQuery(nil, []byte(a.Name)))
		out = append(out, assignment{name: name, lower: a.Name, value: a.Value, multi: a.Multi})
	}
	return out
}

// appendTarget appends the path and query for the backend. The query is the URI's own, then the client's if it passes,
// then the mapped parameters. Like a mapped header, a mapped parameter stands in the place of the client's of the same
// name even if the mapping gives nothing. It is nil when what was mapped into the path makes a . or .. segment: the
// backend would resolve it and leave the path that the definition names.
//
// AWS: decodes the client's parameters and encodes them again; here they go on as they came, ";" included.
func (s *RequestStep) appendTarget(dst []byte, x *exchange.Exchange) []byte {
	if target := x.Route.Target; target != "" {
		return s.appendQueries(append(dst, target...), x, nil)
	}
	in := x.Route.Integration
	dst = x.Append(dst, in.Path, exchange.PathSegment)
	if len(dst) == 0 || dst[0] != '/' {
		dst = append(dst, 0)
		copy(dst[1:], dst)
		dst[0] = '/'
	}
	dst = escapeFrom(dst, 0, true)
	if percent.HasDots(dst) {
		return nil
	}
	return s.appendQueries(dst, x, in.Query)
}

// appendQueries appends the query behind a path: the URI's own, then the client's, then the mapped parameters.
func (s *RequestStep) appendQueries(dst []byte, x *exchange.Exchange, own snapshot.Text) []byte {
	path := len(dst)
	dst = append(dst, '?')
	dst = x.Append(dst, own, exchange.QueryValue)
	if s.passQuery {
		dst = s.appendClientQuery(dst, x.RawQuery())
	}
	for i := range s.queries {
		dst = appendMappedQuery(dst, x, &s.queries[i])
	}
	if len(dst) == path+1 {
		return dst[:path]
	}
	return escapeFrom(dst, path+1, false)
}

// appendClientQuery appends the client's query without the parameters that are mapped.
func (s *RequestStep) appendClientQuery(dst, query []byte) []byte {
	if len(query) == 0 {
		return dst
	}
	if len(s.queries) == 0 {
		return append(separate(dst), query...)
	}
	separator := byte('&')
	for {
		i := bytes.IndexAny(query, "&;")
		part := query
		if i >= 0 {
			part = query[:i]
		}
		if name, _, _ := bytes.Cut(part, []byte{'='}); len(part) > 0 && !s.mapsQuery(name) {
			if dst[len(dst)-1] != '?' {
				dst = append(dst, separator)
			}
			dst = append(dst, part...)
		}
		if i < 0 {
			return dst
		}
		separator, query = query[i], query[i+1:]
	}
}

func (s *RequestStep) mapsQuery(encoded []byte) bool {
	var room [128]byte
	name := percent.AppendDecoded(room[:0], encoded, true)
	for i := range s.queries {
		if string(name) == s.queries[i].lower {
			return true
		}
	}
	return false
}

func appendMappedQuery(dst []byte, x *exchange.Exchange, a *assignment) []byte {
	if a.multi && len(a.value) == 1 {
		x.EachValue(&a.value[0], func(v []byte) {
			dst = append(separate(dst), a.name...)
			dst = append(dst, '=')
			dst = percent.AppendQuery(dst, v)
		})
		return dst
	}
	before := len(dst)
	dst = append(separate(dst), a.name...)
	dst = append(dst, '=')
	start := len(dst)
	dst = x.Append(dst, a.value, exchange.QueryValue)
	if len(dst) == start {
		return dst[:before]
	}
	return dst
}

// separate puts "&" behind a parameter.
func separate(dst []byte) []byte {
	if c := dst[len(dst)-1]; c != '?' && c != '&' {
		return append(dst, '&')
	}
	return dst
}

// escapeFrom percent-encodes what must not stand in a request line behind start: blanks, control characters, bytes
// that are not ASCII, "#", and in a path "?".
func escapeFrom(b []byte, start int, path bool) []byte {
	i := start
	for i < len(b) && !unsafeByte(b[i], path) {
		i++
	}
	if i == len(b) {
		return b
	}
	const hex = "0123456789ABCDEF"
	rest := bytes.Clone(b[i:]) // rare
	b = b[:i]
	for _, c := range rest {
		if unsafeByte(c, path) {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

func unsafeByte(c byte, path bool) bool {
	return c <= ' ' || c >= 0x7f || c == '#' || path && c == '?'
}
