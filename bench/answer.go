package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// ask sends one request on a connection of its own and returns status and body.
func ask(addr string, t target) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+t.path, nil)
	if err != nil {
		return 0, nil, err
	}
	if t.key != "" {
		req.Header.Set("x-api-key", t.key)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: new(net.Dialer).DialContext} // and no proxy
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, body, err
}

// answers tells whether the backend's own answer comes from addr.
func answers(addr string, t target) bool {
	status, body, err := ask(addr, t)
	return err == nil && status == http.StatusOK && bytes.Equal(body, backendBody())
}

// checkRow makes sure that a row does what it is measured for, before it is.
func checkRow(r *row) error {
	last := len(r.targets) - 1
	for _, i := range []int{0, last / 2, last} {
		t := r.targets[i]
		status, body, err := ask(r.addr, t)
		if err != nil {
			return err
		}
		if status != http.StatusOK || !bytes.Equal(body, backendBody()) {
			return fmt.Errorf("GET %s with its key got %d and not the backend's body: %.200q", t.path, status, body)
		}
	}
	if !r.guarded {
		return nil
	}
	status, _, err := ask(r.addr, target{path: r.targets[0].path})
	if err != nil {
		return err
	}
	if status != http.StatusForbidden && status != http.StatusUnauthorized {
		return fmt.Errorf("GET %s without a key got %d, not a refusal", r.targets[0].path, status)
	}
	return nil
}
