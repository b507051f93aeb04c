package upstream

import (
	"bytes"
	"io"
)

// body is the body of an answer, read from the connection as the client takes it. It is fasthttp's BodyWriterTo.
type body struct {
	up     *Upstream // nil: closed
	cn     *conn     // nil: read to the end, or failed
	length int
	left   int64 // bytes left of the whole body, or of this chunk
	inside bool  // a chunk's line was read, and its end was not
	then   fate
	server string
	err    error // io.EOF or the failure, once there is one
}

func (b *body) begin(u *Upstream, cn *conn, length int, then fate) {
	*b = body{up: u, cn: cn, length: length, left: int64(max(length, 0)), then: then, server: cn.srv.addr}
	if length == lengthUntilClose {
		b.then = closes
	}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	part, err := b.next()
	if err != nil {
		return 0, err
	}
	n := copy(p, part)
	b.took(n)
	return n, nil
}

// WriteTo implements io.WriterTo without a buffer of its own.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		part, err := b.next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(part)
		b.took(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// SupportsBodyWriteTo tells fasthttp that WriteTo writes what Read would give.
func (b *body) SupportsBodyWriteTo() bool { return true }

// Close implements io.Closer. The connection is closed unless the body was read to the end. The body must not be used
// after that.
func (b *body) Close() error {
	u := b.up
	if u == nil {
		return nil
	}
	if b.cn != nil {
		u.release(b.cn, false)
	}
	*b = body{err: errClosed}
	u.bodies.Put(b)
	return nil
}

// next waits for bytes of the body and gives those that are there, at least one. They are valid until took.
func (b *body) next() ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.length == lengthChunked && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return nil, err
		}
	}
	if b.length != lengthUntilClose && b.left == 0 {
		return nil, b.finish()
	}
	r := b.cn.buf.r
	if r.Buffered() == 0 {
		if _, err := r.Peek(1); err != nil {
			if err == io.EOF && b.length == lengthUntilClose {
				return nil, b.finish()
			}
			return nil, b.fail(readKind(b.cn, err))
		}
	}
	n := r.Buffered()
	if b.length != lengthUntilClose {
		n = int(min(int64(n), b.left))
	}
	part, _ := r.Peek(n)
	return part, nil
}

// took removes n bytes that next gave. The last one of a known length frees the connection.
func (b *body) took(n int) {
	_, _ = b.cn.buf.r.Discard(n)
	b.left -= int64(n)
	if b.length >= 0 && b.left == 0 {
		_ = b.finish()
	}
}

// finish frees the connection at the body's end.
func (b *body) finish() error {
	b.up.release(b.cn, b.then == returns)
	b.cn, b.err = nil, io.EOF
	return io.EOF
}

// fail closes the connection. The failure is a new one, as the Call is gone by now.
func (b *body) fail(k Kind, cause error) error {
	b.up.counters.failures[k].Add(1)
	b.up.release(b.cn, false)
	b.cn, b.err = nil, &Failure{Kind: k, Server: b.server, Err: cause}
	return b.err
}

// nextChunk reads the line before a chunk, and the end of the chunk before that. After the last one it reads the
// trailers and leaves left at 0.
func (b *body) nextChunk() error {
	if b.inside {
		if line, err := b.line(); err != nil || len(line) > 0 {
			return b.badChunk(err)
		}
		b.inside = false
	}
	line, err := b.line()
	if err != nil {
		return b.badChunk(err)
	}
	size, ok := chunkSize(line)
	if !ok {
		return b.badChunk(nil)
	}
	if size > 0 {
		b.left, b.inside = size, true
		return nil
	}
	for budget := b.up.cfg.MaxResponseHeader; ; budget -= len(line) {
		line, err = b.line()
		if err != nil || budget < 0 {
			return b.badChunk(err)
		}
		if len(line) == 0 {
			return nil
		}
	}
}

// badChunk fails with what reading a line failed with, or says that it made no sense.
func (b *body) badChunk(err error) error {
	if err == nil || err == errChunk {
		return b.fail(Malformed, errChunk)
	}
	return b.fail(readKind(b.cn, err))
}

// line reads a line that ends in CRLF and gives it without.
func (b *body) line() ([]byte, error) {
	line, err := b.cn.buf.r.ReadSlice('\n')
	if err != nil {
		if len(line) > 0 && b.cn.buf.r.Size() == len(line) {
			return nil, errChunk
		}
		return nil, err
	}
	n := len(line) - 2
	if n < 0 || line[n] != '\r' || bytes.IndexByte(line[:n], '\r') >= 0 {
		return nil, errChunk
	}
	return line[:n], nil
}

// chunkSize parses the line before a chunk: hexadecimal digits, and perhaps an extension, which is skipped.
func chunkSize(line []byte) (int64, bool) {
	const maxDigits = 15 // more than any body has, and no overflow
	var size int64
	i := 0
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case '0' <= c && c <= '9':
			size = size<<4 | int64(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			size = size<<4 | int64(c|0x20-'a'+10)
		default:
			rest := bytes.TrimLeft(line[i:], " \t")
			return size, i > 0 && i <= maxDigits && (len(rest) == 0 || rest[0] == ';')
		}
	}
	return size, i > 0 && i <= maxDigits
}
