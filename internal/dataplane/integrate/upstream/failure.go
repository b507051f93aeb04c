package upstream

import (
	"errors"
	"io"
	"net"
	"os"
)

// Kind says in which way a call failed. A Kind is itself an error, so that errors.Is(err, upstream.Timeout) works.
type Kind uint8

// The kinds of failure. The zero Kind is no failure.
const (
	_ Kind = iota
	// Refused: no server could be connected to (name not found, connection refused, no route).
	Refused
	// TLS: a server was reached but the handshake failed, mostly because its certificate is not trusted.
	TLS
	// Timeout: the deadline, or the dial timeout, passed before the answer was complete.
	Timeout
	// Reset: the backend closed or reset the connection before or inside its answer.
	Reset
	// Malformed: the answer is not HTTP/1.x, is framed in two ways, or exceeds the bound for headers.
	Malformed
	// Abandoned: the client went away, and the call was ended for that reason.
	Abandoned
	// Exhausted: every server has as many open connections as Config.MaxConns allows.
	Exhausted
	// ClientBody: the stream of the request's body failed or had another length than announced.
	ClientBody
	// Unsendable: the request itself cannot be written, for want of a Host for example. It is the caller's mistake.
	Unsendable

	kinds
)

// String names the kind in one lower-case word, fit for a metric's label.
func (k Kind) String() string {
	names := [kinds]string{
		"none", "refused", "tls", "timeout", "reset", "malformed", "abandoned", "exhausted", "client_body", "unsendable",
	}
	if k >= kinds {
		return "unknown"
	}
	return names[k]
}

// Error tells a person what happened.
func (k Kind) Error() string {
	texts := [kinds]string{
		Refused:    "no connection to the backend",
		TLS:        "TLS handshake with the backend failed",
		Timeout:    "the backend took too long",
		Reset:      "the backend closed the connection early",
		Malformed:  "the backend's answer is not valid HTTP/1.1",
		Abandoned:  "the client went away",
		Exhausted:  "all connections to the backend are in use",
		ClientBody: "reading the client's body failed",
		Unsendable: "the request cannot be sent",
	}
	if k >= kinds || texts[k] == "" {
		return "upstream: no failure"
	}
	return texts[k]
}

// Failure is the error of Upstream.Call. The one that Call returns belongs to its Call and is overwritten by the next
// call made with it: keep the Kind, or what Error gives, not the pointer.
type Failure struct {
	Kind Kind
	// Server is the address that was tried last.
	Server string
	// Err is the cause. It never contains bytes of the answer, which might be secret.
	Err error
}

// Error gives the kind, the server and the cause.
func (f *Failure) Error() string {
	text := f.Kind.Error()
	if f.Server != "" {
		text += " (" + f.Server + ")"
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Is reports whether target is the failure's Kind.
func (f *Failure) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == f.Kind
}

// KindOf gives the kind of an error from this package, also of one that a body's stream returned; 0 for others.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Kind
	}
	return 0
}

// Causes that this package finds by itself.
var (
	errNoServers    = errors.New("no servers are configured")
	errExhausted    = errors.New("raise the limit of connections, or add servers")
	errEarlyClose   = errors.New("closed before an answer")
	errNotHTTP      = errors.New("the answer does not begin as HTTP/1 does")
	errHead         = errors.New("the status line or a header is malformed")
	errHeadTooLarge = errors.New("the headers exceed the bound")
	errFraming      = errors.New("the body's length is given in two ways")
	errUpgrade      = errors.New("101 Switching Protocols was not asked for")
	errInterim      = errors.New("too many interim answers")
	errChunk        = errors.New("a chunk is malformed")
	errClosed       = errors.New("upstream: read from a closed body")
	errPassed       = errors.New("the deadline had passed already")
)

// isTimeout reports whether err is a passed deadline of a connection.
func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// readKind gives the kind and cause of an error met while reading from or writing to cn.
func readKind(cn *conn, err error) (Kind, error) {
	switch {
	case cn.isGone():
		return Abandoned, nil
	case isTimeout(err):
		return Timeout, os.ErrDeadlineExceeded
	case err == io.EOF && cn.in == 0:
		return Reset, errEarlyClose
	case err == io.EOF:
		return Reset, io.ErrUnexpectedEOF
	default:
		return Reset, err
	}
}
