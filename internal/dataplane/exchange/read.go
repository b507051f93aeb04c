package exchange

import (
	"bytes"
	"errors"
	"io"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/fault"
)

// MaxBody is AWS's payload limit.
const MaxBody = 10 << 20

// Ready failures of reading a body.
var (
	errTooLarge = &fault.Error{Kind: fault.RequestTooLarge, Reason: "the body is over 10 MB"}
	errBody     = &fault.Error{Kind: fault.Malformed, Reason: "the body could not be read to its end"}
)

// Body reads the whole request body, for a step that must. The bytes are valid until the exchange ends. Bodies over
// MaxBody are a fault.RequestTooLarge.
func (x *Exchange) Body() ([]byte, error) {
	if x.body != nil {
		return x.body, nil
	}
	if !x.Request.IsBodyStream() {
		x.body = x.Request.Body()
		return x.body, nil
	}
	b, err := io.ReadAll(io.LimitReader(x.Request.BodyStream(), MaxBody+1))
	if len(b) > MaxBody {
		return nil, errTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errBody
	}
	x.body = b
	if x.body == nil {
		x.body = []byte{}
	}
	return x.body, nil
}

// BodyRead reports whether Body was called, so that the stream is used up.
func (x *Exchange) BodyRead() bool { return x.body != nil }

// Header gives the last value of a request header, case-blind; nil when there is none. It does not allocate.
func (x *Exchange) Header(name string) []byte { return requestHeader(&x.Request.Header, name) }

func requestHeader(h *fasthttp.RequestHeader, name string) []byte {
	var last []byte
	for k, v := range h.All() {
		if equalFold(k, name) {
			last = v
		}
	}
	return last
}

func responseHeader(h *fasthttp.ResponseHeader, name string) []byte {
	var last []byte
	for k, v := range h.All() {
		if equalFold(k, name) {
			last = v
		}
	}
	return last
}

// equalFold compares ASCII letters case-blind.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		c, d := b[i], s[i]
		if c == d {
			continue
		}
		if c|0x20 != d|0x20 || c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

// RawQuery is the request's query as it came, without "?".
func (x *Exchange) RawQuery() []byte {
	uri := x.Request.Header.RequestURI()
	_, q, ok := bytes.Cut(uri, []byte{'?'})
	if !ok {
		return nil
	}
	if j := bytes.IndexByte(q, '#'); j >= 0 {
		q = q[:j]
	}
	return q
}

// EachQuery calls f with each parameter of the query, still percent-encoded, until it returns false.
// AWS: ";" splits a parameter as "&" does.
func EachQuery(query []byte, f func(name, value []byte) bool) {
	for len(query) > 0 {
		i := bytes.IndexAny(query, "&;")
		part := query
		if i < 0 {
			query = nil
		} else {
			part, query = query[:i], query[i+1:]
		}
		if len(part) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(part, []byte{'='})
		if !f(name, value) {
			return
		}
	}
}
