package upstream

import (
	"bytes"
	"io"
	"slices"

	"github.com/valyala/fasthttp"
)

// fate is what becomes of a connection when Call returns.
type fate uint8

const (
	closes  fate = iota
	returns      // to the idle ones
	streams      // with the body
)

// maxInterim bounds the 1xx answers before the real one.
const maxInterim = 8

// send writes the request. A request that the backend stopped reading is no failure yet: it may have answered early.
func (u *Upstream) send(c *Call, cn *conn) error {
	err := c.Request.Write(cn.buf.w)
	if err == nil {
		err = cn.buf.w.Flush()
	}
	c.Sent = cn.out > 0
	switch {
	case err == nil:
		return nil
	case cn.werr == nil && c.streamed:
		return c.fail(ClientBody, err)
	case cn.werr == nil:
		return c.fail(Unsendable, err)
	}
	kind, cause := readKind(cn, cn.werr)
	if kind == Reset && cn.out > 0 {
		cn.cut = true
		return nil
	}
	return c.fail(kind, cause)
}

// receive reads the answer's head, and its body if that is short and of known length.
func (u *Upstream) receive(c *Call, cn *conn) (fate, error) {
	if err := u.readHead(c, cn); err != nil {
		return closes, err
	}
	h := &c.Response.Header
	then := returns
	if cn.cut || h.ConnectionClose() || c.Request.ConnectionClose() {
		then = closes
	}
	h.ResetConnectionClose()
	if len(h.PeekTrailerKeys()) > 0 {
		_ = h.SetTrailerBytes(nil)
	}
	c.Response.ResetBody()
	length := h.ContentLength()
	switch status := h.StatusCode(); {
	case status == fasthttp.StatusNoContent && (length > 0 || length == lengthChunked):
		return closes, nil // it announced a body that cannot be: where the next answer begins is anyone's guess
	case status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified || c.Request.Header.IsHead():
		cn.suspect = true // some servers send a body all the same
		return then, nil
	case length >= 0 && length <= u.cfg.MaxBuffered:
		return then, readBody(c, cn, length)
	}
	b := u.bodies.Get().(*body)
	b.begin(u, cn, length, then)
	c.Response.SetBodyStream(b, max(length, lengthChunked))
	return streams, nil
}

// fasthttp's values of ContentLength beside lengths.
const (
	lengthChunked    = -1
	lengthUntilClose = -2
)

func readBody(c *Call, cn *conn, length int) error {
	c.Response.StreamBody = false
	if length == 0 {
		return nil
	}
	c.Body = slices.Grow(c.Body[:0], length)[:length]
	if _, err := io.ReadFull(cn.buf.r, c.Body); err != nil {
		return c.fail(readKind(cn, err))
	}
	c.Response.SetBodyRaw(c.Body)
	return nil
}

// readHead reads up to the end of the first final answer's headers.
func (u *Upstream) readHead(c *Call, cn *conn) error {
	r, h := cn.buf.r, &c.Response.Header
	for range maxInterim + 1 {
		raw, err := u.fillHead(c, cn)
		if err != nil {
			return err
		}
		before := r.Buffered()
		// All of it is in the buffer, so this neither blocks nor moves raw. Its errors quote the answer: not kept.
		if h.Read(r) != nil || before-r.Buffered() != len(raw) || h.StatusCode() < 100 {
			return c.fail(Malformed, errHead)
		}
		switch status := h.StatusCode(); {
		case status == fasthttp.StatusSwitchingProtocols:
			return c.fail(Malformed, errUpgrade)
		case status >= fasthttp.StatusOK:
			return checkHead(c, raw)
		}
	}
	return c.fail(Malformed, errInterim)
}

// fillHead reads until the buffer begins with a whole head, and gives it. It is valid until the next read.
func (u *Upstream) fillHead(c *Call, cn *conn) ([]byte, error) {
	const start, end = "HTTP/1.", "\r\n\r\n"
	r, limit, searched := cn.buf.r, u.cfg.MaxResponseHeader, 0
	for {
		b, _ := r.Peek(r.Buffered())
		if n := min(len(b), len(start)); string(b[:n]) != start[:n] {
			return nil, c.fail(Malformed, errNotHTTP)
		}
		from := max(searched-len(end)+1, 0)
		if i := bytes.Index(b[from:], []byte(end)); i >= 0 {
			if n := from + i + len(end); n <= limit {
				return b[:n], nil
			}
			return nil, c.fail(Malformed, errHeadTooLarge)
		}
		if bytes.Contains(b[from:], []byte("\n\n")) {
			return nil, c.fail(Malformed, errHead) // it ends its lines with a bare LF, and would be waited for in vain
		}
		if searched = len(b); searched >= limit {
			return nil, c.fail(Malformed, errHeadTooLarge)
		}
		if _, err := r.Peek(searched + 1); err != nil {
			kind, cause := readKind(cn, err)
			if kind == Reset && cn.cut {
				cause = cn.werr
			}
			return nil, c.fail(kind, cause)
		}
	}
}

// checkHead refuses what fasthttp lets pass: lengths given in two ways, and names with a space.
func checkHead(c *Call, raw []byte) error {
	h := &c.Response.Header
	if h.ContentLength() == lengthChunked && hasField(raw, "content-length") {
		return c.fail(Malformed, errFraming)
	}
	if !h.IsHTTP11() {
		if hasField(raw, "transfer-encoding") {
			return c.fail(Malformed, errFraming)
		}
		h.SetProtocol([]byte("HTTP/1.1")) // else it would be the version of the answer to the client
	}
	if h.ConnectionClose() { // fasthttp's own reaction to a space in a name
		for name := range h.All() {
			if bytes.IndexByte(name, ' ') >= 0 {
				return c.fail(Malformed, errHead)
			}
		}
	}
	return nil
}

// hasField reports whether a header of this name, given in lower case, stands in a head.
func hasField(head []byte, name string) bool {
	for {
		i := bytes.IndexByte(head, '\n')
		if i < 0 || len(head) < i+1+len(name) {
			return false
		}
		head = head[i+1:]
		if bytes.EqualFold(head[:len(name)], []byte(name)) {
			switch head[len(name)] {
			case ':', ' ', '\t':
				return true
			}
		}
	}
}
