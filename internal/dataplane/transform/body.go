package transform

import (
	"io"
	"sync"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
)

var errTooLarge = &fault.Error{Kind: fault.RequestTooLarge, Reason: "the body is over 10 MB"}

// setBody hands the client's body on without copying it.
func (s *RequestStep) setBody(x *exchange.Exchange) error {
	r := &x.Backend.Request
	if x.BodyRead() || !x.Request.IsBodyStream() {
		body, err := x.Body()
		if err != nil {
			return err
		}
		if len(body) > 0 {
			r.SetBodyRaw(body)
		}
		return nil
	}
	length := x.Request.Header.ContentLength()
	if length == 0 {
		return nil
	}
	b := s.bodies.Get().(*clientBody) //nolint:forcetypeassert // only clientBodies are put there
	b.r, b.left, b.err = x.Request.BodyStream(), exchange.MaxBody, nil
	r.SetBodyStream(b, max(length, -1))
	return nil
}

// clientBody is the client's stream, bounded. Closing it ends the loan: the stream itself is listen's.
type clientBody struct {
	r    io.Reader
	left int
	// err is what the stream ended with: fasthttp passes over an error that comes together with bytes.
	err  error
	pool *sync.Pool
}

// Read gives a fault.RequestTooLarge instead of a byte over the limit.
func (b *clientBody) Read(p []byte) (int, error) {
	if b.r == nil {
		return 0, io.ErrClosedPipe
	}
	if b.err != nil {
		return 0, b.err
	}
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if n > b.left {
		return 0, errTooLarge
	}
	b.left -= n
	b.err = err
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

// Close is called once, by the request that it was set on.
func (b *clientBody) Close() error {
	if b.r != nil {
		b.r = nil
		b.pool.Put(b)
	}
	return nil
}
