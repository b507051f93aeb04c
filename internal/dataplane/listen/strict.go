package listen

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
)

// check refuses what must not go on: malformed headers first, then what is too large.
func check(r *fasthttp.Request) *fault.Error {
	raw := r.Header.RawHeaders()
	if !strict(raw) {
		return errMalformed
	}
	if !r.Header.IsHTTP11() && string(r.Header.Protocol()) != "HTTP/1.0" {
		return errVersion
	}
	host := r.Header.Host()
	if len(host) == 0 && r.Header.IsHTTP11() || bytes.IndexByte(host, '@') >= 0 {
		return errHost
	}
	if len(r.Header.RequestURI()) > maxURI {
		return errURI
	}
	if bytes.IndexByte(r.Header.RequestURI(), '#') >= 0 {
		return errFragment
	}
	if len(raw) > maxHeaders {
		return errHeaders
	}
	if r.Header.ContentLength() > exchange.MaxBody {
		return errTooLarge
	}
	return nil
}

// strict reports whether a header block can be read in one way only. Fasthttp has checked names and values; it still
// takes bare line feeds, folded lines, blanks in names, and a length beside an encoding.
func strict(raw []byte) bool {
	length, encoding := false, false
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' {
			return false
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			continue
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || line[0] <= ' ' || bytes.IndexByte(line[:colon], ' ') >= 0 {
			return false
		}
		switch colon {
		case len(fasthttp.HeaderContentLength):
			length = length || bytes.EqualFold(line[:colon], contentLength)
		case len(fasthttp.HeaderTransferEncoding):
			if bytes.EqualFold(line[:colon], transferEncoding) {
				encoding = true
				if !bytes.EqualFold(bytes.TrimSpace(line[colon+1:]), chunked) {
					return false
				}
			}
		}
	}
	return !length || !encoding
}

var (
	contentLength    = []byte(fasthttp.HeaderContentLength)
	transferEncoding = []byte(fasthttp.HeaderTransferEncoding)
	chunked          = []byte("chunked")
)
