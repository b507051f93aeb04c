//go:build unix && !linux

package upstream

import "golang.org/x/sys/unix"

// stateOf peeks at the next byte. A close behind waiting bytes is not seen.
func stateOf(fd uintptr) socketState {
	var b [1]byte
	n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return quiet
	case err != nil || n == 0:
		return gone
	default:
		return readable
	}
}
