package upstream

import "golang.org/x/sys/unix"

// stateOf polls the socket. POLLRDHUP tells of the other side's close even when bytes wait before it, such as the alert
// that ends a TLS connection or a pipelined request, which a peek at the bytes would take for life.
func stateOf(fd uintptr) socketState {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}
	n, err := unix.Poll(fds[:], 0)
	switch got := fds[0].Revents; {
	case err != nil || n == 0:
		return quiet
	case got&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
		return gone
	default:
		return readable
	}
}
