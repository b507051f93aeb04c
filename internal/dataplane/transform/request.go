package transform

import (
	"bytes"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// RequestStep fills x.Backend.Request. It serves many requests at once, of all routes whose integrations differ in path
// and query only: those it reads from the exchange's route.
type RequestStep struct {
	method     string // "" sends the client's
	host       []byte
	passQuery  bool
	queries    []assignment
	headers    []assignment
	column     column
	onlyMapped bool // of the client's headers only Content-Type passes
	userAgent  string
	apiID      []byte
	reserved   *fault.Error
	bodies     sync.Pool
}

// assignment is a compiled mapping.
type assignment struct {
	name  string // of a query: percent-encoded
	lower string // of a query: as it is
	value snapshot.Text
	multi bool
	known header
}

var errDots = &fault.Error{
	Kind: fault.BadRequestParameters, Message: "Bad Request", Reason: "what is mapped into the path makes a . or .. segment",
}

var errMethod = &fault.Error{Kind: fault.Malformed, Reason: "the method is no token"}

// Request makes the step for a route; nil for MOCK, which has no backend.
func Request(r *snapshot.Route) *RequestStep {
	in := r.Integration
	if in == nil || in.Kind == snapshot.Mock {
		return nil
	}
	s := &RequestStep{
		host:       []byte(in.Host),
		passQuery:  in.QueryPasses,
		queries:    compileQueries(in.Queries),
		column:     toProxy,
		onlyMapped: in.Kind == snapshot.HTTPCustom,
		apiID:      []byte(r.Stage.API.ID),
	}
	s.userAgent = "AmazonAPIGateway_" + r.Stage.API.ID
	if in.Method != "ANY" {
		s.method = in.Method
	}
	if r.Stage.API.Kind == snapshot.HTTP {
		s.column = toV2
	}
	s.compileHeaders(in.Headers)
	s.bodies.New = func() any { return &clientBody{pool: &s.bodies} }
	return s
}

// compileHeaders leaves out what a mapping cannot set. AWS: mapping a reserved header fails at run time.
func (s *RequestStep) compileHeaders(mapped []snapshot.Assign) {
	for i := range mapped {
		a := &mapped[i]
		lower := strings.ToLower(a.Name)
		known := headerOf([]byte(lower))
		switch known {
		case contentLength, transferEncoding, traceID, gatewayAPIID:
			s.reserved = fault.New(fault.APIConfigurationError,
				"the integration maps the header "+a.Name+", which the gateway sets itself: remove that mapping")
		}
		if !validName([]byte(a.Name)) || fateOf(known, toMapped) == drop {
			continue
		}
		s.headers = append(s.headers, assignment{a.Name, lower, a.Value, a.Multi, known})
	}
}

// Do makes the request. On a fault x.Backend.Request is empty.
func (s *RequestStep) Do(x *exchange.Exchange) error {
	r := &x.Backend.Request
	r.Reset()
	if s.reserved != nil {
		return s.reserved
	}
	method := x.Method
	if s.method == "" && !validName(method) {
		return errMethod
	}
	in := incoming{lines: x.Scratch()}
	s.takeHeaders(x, &in)
	if in.options != nil {
		// Rare: Connection names further headers, some of which may have been taken already.
		in = incoming{lines: in.lines[:0], options: in.options}
		s.takeHeaders(x, &in)
	}
	s.addMapped(x, &in)
	s.writeHeaders(x, &in)
	h := &r.Header
	if s.method == "" {
		h.SetMethodBytes(method)
	} else {
		h.SetMethod(s.method)
	}
	target := s.appendTarget(in.lines[:0], x)
	if target == nil {
		r.Reset()
		return errDots
	}
	h.SetRequestURIBytes(target)
	x.KeepScratch(target)
	if err := s.setBody(x); err != nil {
		r.Reset()
		return err
	}
	if s.onlyMapped && !in.seen.has(contentType) && (r.IsBodyStream() || len(r.Body()) > 0) {
		h.Add(fasthttp.HeaderContentType, jsonType)
	}
	return nil
}

const jsonType = "application/json"

// set is a set of known headers.
type set uint64

func (s *set) add(h header)     { *s |= 1 << h }
func (s set) has(h header) bool { return s&(1<<h) != 0 }

// incoming is what was taken over of the client's headers.
type incoming struct {
	// lines are whole header lines for the backend, each with its line break.
	lines   []byte
	seen    set    // what stands in lines
	options []byte // what Connection names beside the usual, joined by commas
	// Values that the gateway's own headers are made of.
	trace, forwarded, forwardedFor, forwardedHost, forwardedProto []byte
}

// addLine adds a header. The caller has checked that name and value cannot end the line.
func addLine[N, V []byte | string](in *incoming, name N, value V) {
	in.lines = append(in.lines, name...)
	in.lines = append(in.lines, ": "...)
	in.lines = append(in.lines, value...)
	in.lines = append(in.lines, "\r\n"...)
}

// takeHeaders goes over the client's headers once, in their order and spelling.
func (s *RequestStep) takeHeaders(x *exchange.Exchange, in *incoming) {
	h := &x.Request.Header
	raw := h.RawHeaders()
	if len(raw) == 0 { // not read from a socket by fasthttp
		for name, value := range h.All() {
			if tokenLength(name) == len(name) {
				s.take(in, name, value)
			}
		}
		return
	}
	for len(raw) > 0 {
		colon := tokenLength(raw)
		end := bytes.IndexByte(raw[colon:], '\n') + colon
		if end < colon {
			return
		}
		if raw[colon] == ':' {
			s.take(in, raw[:colon], trimBlanks(raw[colon+1:end]))
		}
		raw = raw[end+1:]
	}
}

// trimBlanks takes the line break's first half and blanks off a value.
func trimBlanks(v []byte) []byte {
	if n := len(v); n > 0 && v[n-1] == '\r' {
		v = v[:n-1]
	}
	for len(v) > 0 && (v[0] == ' ' || v[0] == '\t') {
		v = v[1:]
	}
	for len(v) > 0 && (v[len(v)-1] == ' ' || v[len(v)-1] == '\t') {
		v = v[:len(v)-1]
	}
	return v
}

// take takes over one of the client's headers, or notes what is needed of it. Its name is a token.
func (s *RequestStep) take(in *incoming, name, value []byte) {
	if len(name) == 0 || !validValue(value) {
		return
	}
	known := headerOf(name)
	switch fateOf(known, s.column) {
	case drop:
		if known == connection {
			in.options = appendOptions(in.options, value)
		}
		return
	case settle:
		if known != authorization {
			in.settle(known, value)
			return
		}
		if bytes.HasPrefix(value, sigV4) {
			return
		}
	}
	if s.onlyMapped && known != contentType {
		return
	}
	if len(s.headers) > 0 && s.maps(name) || in.options != nil && listed(in.options, name) {
		return
	}
	in.seen.add(known)
	addLine(in, name, value)
}

// sigV4 begins the Authorization header of a signed request. AWS: the signature speaks of another host, so it is dropped.
var sigV4 = []byte("AWS4-")

// maps reports whether a mapping sets the header, so that the client's own does not pass even if the mapping gives
// nothing: else a client could supply what the definition promises the backend.
func (s *RequestStep) maps(name []byte) bool {
	for i := range s.headers {
		if sameName(name, s.headers[i].lower) {
			return true
		}
	}
	return false
}

func (in *incoming) settle(known header, value []byte) {
	switch known {
	case traceID:
		if in.trace == nil && validTrace(value) {
			in.trace = value
		}
	case xForwardedFor:
		in.forwardedFor = joined(in.forwardedFor, value)
	case forwarded:
		in.forwarded = joined(in.forwarded, value)
	case xForwardedHost:
		in.forwardedHost = value
	case xForwardedProto:
		in.forwardedProto = value
	}
}

// joined makes one list of two. It allocates only if there are two.
func joined(list, more []byte) []byte {
	if len(list) == 0 {
		return more
	}
	if len(more) == 0 {
		return list
	}
	return bytes.Join([][]byte{list, more}, []byte(", "))
}

// appendOptions appends the names in a Connection header whose headers are not dropped anyway. It allocates only when
// there are any.
func appendOptions(dst, value []byte) []byte {
	for len(value) > 0 {
		var option []byte
		option, value, _ = bytes.Cut(value, comma)
		option = bytes.TrimSpace(option)
		if len(option) == 0 || sameName(option, "close") || fateOf(headerOf(option), toV2) == drop {
			continue
		}
		dst = append(dst, option...)
		dst = append(dst, ',')
	}
	return dst
}

var comma = []byte{','}

// listed reports whether a list of names made by appendOptions holds name.
func listed(options, name []byte) bool {
	for len(options) > 0 {
		var option []byte
		option, options, _ = bytes.Cut(options, comma)
		if bytes.EqualFold(option, name) {
			return true
		}
	}
	return false
}

// addMapped adds the headers that mappings set.
func (s *RequestStep) addMapped(x *exchange.Exchange, in *incoming) {
	for i := range s.headers {
		a := &s.headers[i]
		if a.multi && len(a.value) == 1 {
			x.EachValue(&a.value[0], func(v []byte) {
				if len(v) > 0 && validValue(v) {
					in.seen.add(a.known)
					addLine(in, a.name, v)
				}
			})
			continue
		}
		before := len(in.lines)
		in.lines = append(in.lines, a.name...)
		in.lines = append(in.lines, ": "...)
		start := len(in.lines)
		in.lines = x.Append(in.lines, a.value, exchange.Raw)
		v := cleanValue(in.lines[start:])
		if len(v) == 0 {
			in.lines = in.lines[:before]
			continue
		}
		in.seen.add(a.known)
		in.lines = append(in.lines[:start+len(v)], "\r\n"...)
	}
}

// cleanValue takes control characters out of a header's value, in place.
func cleanValue(v []byte) []byte {
	if validValue(v) {
		return v
	}
	out := v[:0]
	for _, c := range v {
		if c >= ' ' && c != 0x7f || c == '\t' {
			out = append(out, c)
		}
	}
	return out
}
