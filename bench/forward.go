package main

import (
	"fmt"
	"net"
	"sync"
)

// serveForward is the floor under every Go proxy: it carries bytes between addr and backend and understands none of
// them. It copies with plain Read and Write, as a proxy that looks at a request must; io.Copy would splice in the
// kernel.
func serveForward(addr, backend string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("forward: %w", err)
		}
		go forward(conn, backend)
	}
}

// forward ends when both directions have ended; either one's end closes both connections.
func forward(client net.Conn, backend string) {
	defer client.Close()
	server, err := net.Dial("tcp", backend)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { carry(server, client) })
	both.Go(func() { carry(client, server) })
	both.Wait()
}

func carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
