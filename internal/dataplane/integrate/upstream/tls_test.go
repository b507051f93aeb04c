package upstream_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/internal/dataplane/integrate/upstream"
)

func TestTLS(t *testing.T) {
	names := make(chan string, 10)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names <- r.TLS.ServerName
		_, _ = io.WriteString(w, "hello")
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	srv.StartTLS() // its certificate is for example.com and 127.0.0.1
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	addr := srv.Listener.Addr().String()

	tests := []struct {
		name string
		cfg  upstream.Config
		sni  string
		kind upstream.Kind
	}{
		{"own authority, address", upstream.Config{RootCAs: roots}, "", 0},
		{"own authority, name", upstream.Config{RootCAs: roots, ServerName: "example.com"}, "example.com", 0},
		{"wrong name", upstream.Config{RootCAs: roots, ServerName: "example.org"}, "", upstream.TLS},
		{"unknown authority", upstream.Config{}, "", upstream.TLS},
		{"unverified", upstream.Config{InsecureSkipVerify: true, ServerName: "any.example"}, "any.example", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Servers = []upstream.Server{{Addr: addr, TLS: true}}
			u := newUpstream(t, tt.cfg)
			c := newCall("GET", "")
			if tt.kind != 0 {
				wantKind(t, u, u.Call(c), tt.kind)
				if c.Sent {
					t.Error("the request was sent")
				}
				return
			}
			for range 2 {
				if status, body := do(t, u, c); status != 200 || body != "hello" {
					t.Errorf("got %d %q", status, body)
				}
				if got := <-names; got != tt.sni {
					t.Errorf("SNI %q", got)
				}
			}
			if s := u.Stats(); s.Dials != 1 || s.Idle != 1 {
				t.Errorf("the connection was not kept: %+v", s)
			}
		})
	}
}

func TestTLSToPlainServer(t *testing.T) {
	b := newBackend(t, always("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
	u := newUpstream(t, upstream.Config{Servers: []upstream.Server{{Addr: b.addr, TLS: true}}})
	c := newCall("GET", "")
	err := u.Call(c)
	if upstream.KindOf(err) != upstream.TLS && upstream.KindOf(err) != upstream.Timeout {
		t.Errorf("got %v", err)
	}
	if err != nil && !strings.Contains(err.Error(), b.addr) {
		t.Errorf("no address in %q", err)
	}
}
