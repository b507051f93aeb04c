package config

import (
	"crypto/x509"
	"math"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

func (d *decoder) readUpstreams(key string, n *doctree.Node) {
	seen := map[string]bool{}
	d.each(key, n, func(name, value *doctree.Node) {
		host := strings.ToLower(name.Value)
		switch {
		case !isBackendHost(host):
			d.fail(codeBadHost, name, "write the host as it stands in the integration's URI, with its port if it has one",
				"%s is not a host or host:port", quote(name.Value))
		case seen[host]:
			d.fail(codeRepeated, name, "put the servers together", "the host %s is here in another spelling already", quote(name.Value))
		}
		seen[host] = true
		d.readUpstream(definition.Upstream{Host: host, Place: d.at(name)}, value)
	})
}

// isBackendHost takes a name or address with or without a port.
func isBackendHost(s string) bool {
	host := s
	if h, port, err := net.SplitHostPort(s); err == nil {
		if !isPort(port) {
			return false
		}
		host = h
	} else if inner, ok := strings.CutPrefix(s, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if isHostName(host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func (d *decoder) readUpstream(u definition.Upstream, n *doctree.Node) {
	ok := d.mapping("an upstream", n, []field{
		{"servers", func(d *decoder, key string, n *doctree.Node) { u.Servers = d.readServers(key, n) }},
		{"insecure_skip_verification", boolean(&u.InsecureSkipVerification)},
		{"ca", func(d *decoder, key string, n *doctree.Node) { d.readCA(&u, key, n) }},
		{"max_connections", whole(&u.MaxConnections, 1, math.MaxInt32)},
		{"idle_timeout", duration(&u.IdleTimeout, time.Millisecond, 24*time.Hour)},
	})
	if !ok || !d.require(n, "servers", `write servers: ["127.0.0.1:9000"]`) {
		return
	}
	if u.CAFile != "" && u.InsecureSkipVerification {
		d.warn(codeNoEffect, n.Key("ca"), "remove insecure_skip_verification", "ca has no effect while certificates are not checked")
	}
	d.file.Upstreams = append(d.file.Upstreams, u)
}

func (d *decoder) readServers(key string, n *doctree.Node) []definition.Server {
	var out []definition.Server
	d.list(key, n, func(item *doctree.Node) {
		s, ok := d.scalar("a server", item, `an address such as "127.0.0.1:9000"`)
		if !ok {
			return
		}
		server, ok := parseServer(s)
		if !ok {
			d.fail(codeBadAddress, item, `write "127.0.0.1:9000", "http://127.0.0.1:9000" or "https://pets.internal"`,
				"a server is host:port, or http or https with a host")
			return
		}
		out = append(out, server)
	})
	if n.Kind == doctree.Sequence && len(n.Items) == 0 {
		d.fail(codeBadValue, n, "", "an upstream needs at least one server")
	}
	return out
}

// parseServer reads host:port, or a URL without a path whose scheme gives the port that is missing.
func parseServer(s string) (definition.Server, bool) {
	if !strings.Contains(s, "://") {
		host, port, err := net.SplitHostPort(s)
		ok := err == nil && isPort(port) && port != "0" && host != "" && isBackendHost(strings.ToLower(s))
		return definition.Server{Addr: s}, ok
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Hostname() == "" ||
		u.Path != "" && u.Path != "/" || strings.ContainsAny(s, "?#") {
		return definition.Server{}, false
	}
	isTLS := u.Scheme == "https"
	port := u.Port()
	switch {
	case port != "":
	case isTLS:
		port = "443"
	default:
		port = "80"
	}
	addr := net.JoinHostPort(u.Hostname(), port)
	return definition.Server{Addr: addr, TLS: &isTLS}, isPort(port) && port != "0" && isBackendHost(strings.ToLower(addr))
}

func (d *decoder) readCA(u *definition.Upstream, key string, n *doctree.Node) {
	name, ok := d.scalar(key, n, "the path of a PEM file")
	if !ok {
		return
	}
	u.CAFile = d.files.path(name)
	pem, err := d.files.read(u.CAFile, maxText)
	switch {
	case err != nil:
		d.fail(codeUnreadableFile, n, "the path is relative to the folder of this file", "the authorities in %s cannot be read: %v",
			quote(n.Value), err)
	case !x509.NewCertPool().AppendCertsFromPEM(pem):
		d.fail(codeBadCA, n, "a certificate begins with -----BEGIN CERTIFICATE-----", "the file %s holds no PEM certificate", quote(n.Value))
	default:
		u.CA = pem
	}
}
