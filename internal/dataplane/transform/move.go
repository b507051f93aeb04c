package transform

import (
	"io"
	"strconv"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
)

// moveBody gives the backend's body to the client without copying it, and sees to the length where there is no body.
// The client's status is set already.
func moveBody(x *exchange.Exchange) {
	from, to := &x.Backend.Response, x.Response
	length := from.Header.ContentLength()
	status := to.StatusCode()
	switch {
	case bodiless(status):
		// AWS and HTTP: a 304 may tell the length of what it does not send.
		if status == from.StatusCode() && status == fasthttp.StatusNotModified && length >= 0 {
			addLength(x, length)
		}
	case x.Backend.Request.Header.IsHead() || bodiless(from.StatusCode()):
		// The backend sent no body. Its length holds for the client only if that asked with HEAD too.
		if x.Request.Header.IsHead() && x.Backend.Request.Header.IsHead() && length >= 0 {
			to.SkipBody = true
			addLength(x, length)
		}
	case from.IsBodyStream():
		to.SetBodyStream(detach(from), max(length, -1))
	default:
		to.SetBodyRaw(from.Body())
	}
}

func bodiless(status int) bool {
	return status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified || status < fasthttp.StatusOK
}

func addLength(x *exchange.Exchange, length int) {
	var room [20]byte
	x.Response.Header.AddBytesV(fasthttp.HeaderContentLength, strconv.AppendInt(room[:0], int64(length), 10))
}

// detach takes the stream out of r, since the client's response, which lives longer, is now the one that closes it.
// Fasthttp has no way to take a stream without closing it, so r begins anew; its header stays.
func detach(r *fasthttp.Response) io.Reader {
	stream := r.BodyStream()
	var kept fasthttp.ResponseHeader
	r.Header.CopyTo(&kept)
	*r = fasthttp.Response{}
	kept.CopyTo(&r.Header)
	return stream
}
