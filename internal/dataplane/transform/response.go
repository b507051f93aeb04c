package transform

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// ResponseStep fills x.Response from x.Backend.Response and x.Backend.Status. It serves many requests at once.
type ResponseStep struct {
	column  column
	rest    bool
	choices []choice // of HTTP and MOCK; nil for HTTP_PROXY
	// reads says that a mapping refers to the backend's body.
	reads bool
}

// choice is a compiled integration response.
type choice struct {
	pattern     *regexp.Regexp
	status      int
	headers     []assignment
	contentType *assignment
	bodies      []body
	otherwise   int // the body that is used when none fits Accept
}

type body struct {
	mediaType string // without parameters, in lower case
	full      string
	text      []byte
}

var (
	errNoChoice = &fault.Error{
		Kind: fault.APIConfigurationError, Reason: "no integration response matches the backend's status: add a default one",
	}
	errReadBody = &fault.Error{
		Kind: fault.IntegrationFailure, Reason: "the backend's body, which a mapping reads, broke off or is over 10 MB",
	}
)

// Response makes the step for a route; nil when the route has no integration.
func Response(r *snapshot.Route) *ResponseStep {
	in := r.Integration
	if in == nil {
		return nil
	}
	s := &ResponseStep{column: fromProxy, rest: r.Stage.API.Kind == snapshot.REST}
	switch {
	case in.Kind == snapshot.HTTPCustom:
		s.column = fromHTTP
	case in.Kind == snapshot.Mock:
		s.column = fromMock
	case !s.rest:
		s.column = fromV2
	}
	if s.column == fromHTTP || s.column == fromMock {
		for i := range in.Responses {
			s.choices = append(s.choices, s.compile(&in.Responses[i]))
		}
	}
	return s
}

func (s *ResponseStep) compile(r *snapshot.IntegrationResponse) choice {
	c := choice{pattern: r.Pattern, status: r.Status}
	for i := range r.Headers {
		a := &r.Headers[i]
		lower := strings.ToLower(a.Name)
		known := headerOf([]byte(lower))
		m := assignment{a.Name, lower, a.Value, a.Multi, known}
		s.reads = s.reads || a.Value.Reads(snapshot.ResponseBody)
		switch fateOf(known, s.column) {
		case drop:
			continue
		case settle:
			c.contentType = &m
			continue
		case remap:
			m.name = remappedNames[known]
		}
		if validName([]byte(m.name)) {
			c.headers = append(c.headers, m)
		}
	}
	for i := range r.Bodies {
		b := body{string(mediaType([]byte(r.Bodies[i].MediaType))), r.Bodies[i].MediaType, []byte(r.Bodies[i].Text)}
		b.mediaType = strings.ToLower(b.mediaType)
		if b.mediaType == jsonType {
			c.otherwise = i
		}
		c.bodies = append(c.bodies, b)
	}
	return c
}

// Do makes the response. On a fault x.Response is not finished and must be reset.
func (s *ResponseStep) Do(x *exchange.Exchange) error {
	h := &x.Response.Header
	h.DisableNormalizing()
	h.SetNoDefaultContentType(true)
	x.Backend.Response.Header.SetNoDefaultContentType(true)
	if s.column == fromHTTP || s.column == fromMock {
		return s.choose(x)
	}
	s.passHeaders(x)
	x.Response.SetStatusCode(x.Backend.Status)
	moveBody(x)
	return nil
}

// passHeaders copies the backend's headers as the table says.
func (s *ResponseStep) passHeaders(x *exchange.Exchange) {
	in, out := &x.Backend.Response.Header, &x.Response.Header
	options := connectionOptions(in)
	for k, v := range in.All() {
		known := headerOf(k)
		switch fateOf(known, s.column) {
		case drop:
		case remap:
			out.AddBytesV(remappedNames[known], v)
		case settle:
			if known == contentType {
				out.SetContentTypeBytes(v)
			}
		case pass:
			if options == nil || !listed(options, k) {
				out.AddBytesKV(k, v)
			}
		}
	}
	// A 304 speaks of what the client has already: a type of ours would overwrite the one it keeps.
	if s.rest && len(out.ContentType()) == 0 && x.Backend.Status != fasthttp.StatusNotModified {
		out.SetContentType(jsonType)
	}
}

// connectionOptions gives the names of headers that were meant for this connection only, as appendOptions does.
func connectionOptions(h *fasthttp.ResponseHeader) []byte {
	var options []byte
	for k, v := range h.All() {
		if len(k) == len("connection") && headerOf(k) == connection {
			options = appendOptions(options, v)
		}
	}
	return options
}

// choose answers with the integration response that the backend's status selects.
func (s *ResponseStep) choose(x *exchange.Exchange) error {
	var room [20]byte
	status := strconv.AppendInt(room[:0], int64(x.Backend.Status), 10)
	for i := range s.choices {
		if c := &s.choices[i]; c.pattern == nil || c.pattern.Match(status) {
			return s.answer(x, c)
		}
	}
	return errNoChoice
}

func (s *ResponseStep) answer(x *exchange.Exchange, c *choice) error {
	if s.reads {
		if err := readBody(&x.Backend.Response); err != nil {
			return err
		}
	}
	r := x.Response
	r.SetStatusCode(c.status)
	buf := x.Scratch()
	for i := range c.headers {
		buf = addMapped(x, buf, &c.headers[i])
	}
	chosen := c.body(x)
	buf = buf[:0]
	if c.contentType != nil {
		buf = cleanValue(x.Append(buf, c.contentType.value, exchange.Raw))
	}
	switch {
	case len(buf) > 0:
		r.Header.SetContentTypeBytes(buf)
	case chosen != nil:
		r.Header.SetContentType(chosen.full)
	default:
		r.Header.SetContentType(jsonType)
	}
	x.KeepScratch(buf)
	switch {
	case chosen != nil:
		r.SetBody(chosen.text)
	case s.column == fromHTTP:
		moveBody(x)
	}
	if s.column == fromHTTP { // AWS: not for HTTP_PROXY nor MOCK
		r.Header.SetBytesV(nameTraceID, x.Backend.Request.Header.Peek(nameTraceID))
	}
	return nil
}

func addMapped(x *exchange.Exchange, buf []byte, a *assignment) []byte {
	h := &x.Response.Header
	if a.multi && len(a.value) == 1 {
		x.EachValue(&a.value[0], func(v []byte) {
			if validValue(v) && len(v) > 0 {
				h.AddBytesV(a.name, v)
			}
		})
		return buf
	}
	buf = x.Append(buf[:0], a.value, exchange.Raw)
	if v := cleanValue(buf); len(v) > 0 {
		h.AddBytesV(a.name, v)
	}
	return buf
}

// body gives the template for the first media type of Accept, else the one for application/json, else the first; nil
// when there is none at all.
func (c *choice) body(x *exchange.Exchange) *body {
	if len(c.bodies) == 0 {
		return nil
	}
	if len(c.bodies) > 1 {
		want := mediaType(x.Header(fasthttp.HeaderAccept))
		for i := range c.bodies {
			if sameName(want, c.bodies[i].mediaType) {
				return &c.bodies[i]
			}
		}
	}
	return &c.bodies[c.otherwise]
}

// mediaType gives the first media type of a header, without its parameters.
func mediaType(v []byte) []byte {
	if i := bytes.IndexAny(v, ",;"); i >= 0 {
		v = v[:i]
	}
	return bytes.TrimSpace(v)
}

// readBody reads a streamed body that a mapping refers to, up to AWS's payload limit.
func readBody(r *fasthttp.Response) error {
	if !r.IsBodyStream() {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(r.BodyStream(), exchange.MaxBody+1))
	if err != nil || len(b) > exchange.MaxBody {
		return errReadBody
	}
	r.ResetBody() // closes the stream
	r.SwapBody(b)
	return nil
}
