package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// backendBody is what the backend answers to everything: 1,024 bytes of JSON.
func backendBody() []byte {
	const open, end = `{"id":1,"name":"benchmark","note":"`, `"}`
	return []byte(open + strings.Repeat("x", 1024-len(open)-len(end)) + end)
}

// serveBackend answers every request on addr with the same bytes until the process ends. It reads no more of a
// request than where it ends, because every cycle it spends is taken from wrk, which shares its CPU. It costs about
// what nginx takes for a static body of this size, and needs no file of its own.
func serveBackend(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	body := backendBody()
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	answer := append([]byte(head), body...)
	for {
		conn, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("backend: %w", err)
		}
		go func() {
			defer conn.Close()
			_ = answerAll(conn, answer) // the peer went away; its own figures tell why
		}()
	}
}

// answerAll writes answer once for each request it reads from conn. Requests have no body. It returns nil when the
// peer closes, and an error when a header is larger than its buffer.
func answerAll(conn io.ReadWriter, answer []byte) error {
	end := []byte("\r\n\r\n")
	buf := make([]byte, 16<<10)
	have := 0
	for {
		n, err := conn.Read(buf[have:])
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		have += n
		rest := buf[:have]
		for {
			at := bytes.Index(rest, end)
			if at < 0 {
				break
			}
			rest = rest[at+len(end):]
			if _, err := conn.Write(answer); err != nil {
				return err
			}
		}
		have = copy(buf, rest)
		if have == len(buf) {
			return errors.New("request header over 16 KiB")
		}
	}
}
