package upstream

import (
	"net"
	"syscall"
)

// socketState is what the kernel knows of a socket that nobody reads at the moment.
type socketState uint8

const (
	quiet    socketState = iota // open, nothing to read
	readable                    // open, bytes wait
	gone                        // the other side closed at least its half, or reset
)

// probe asks the kernel about a socket without reading from it. It is used by one goroutine at a time and allocates only
// when it is made.
type probe struct {
	look  func(fd uintptr)
	state socketState
}

// newProbe prepares a probe.
func newProbe() *probe {
	p := &probe{}
	p.look = func(fd uintptr) { p.state = stateOf(fd) }
	return p
}

// of gives the state of raw; a closed one is gone.
func (p *probe) of(raw syscall.RawConn) socketState {
	if raw == nil {
		return quiet
	}
	p.state = quiet
	if err := raw.Control(p.look); err != nil {
		return gone
	}
	return p.state
}

// rawOf finds the socket under a connection and its wrappers, or nil.
func rawOf(nc net.Conn) syscall.RawConn {
	const maxWrappers = 8
	for range maxWrappers {
		switch inner := nc.(type) {
		case syscall.Conn:
			raw, err := inner.SyscallConn()
			if err != nil {
				return nil
			}
			return raw
		case interface{ NetConn() net.Conn }:
			nc = inner.NetConn()
		default:
			return nil
		}
	}
	return nil
}
