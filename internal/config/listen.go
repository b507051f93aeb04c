package config

import (
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
)

// Listen says where clients are served, and how long they may take.
type Listen struct {
	// HTTP is host:port; an empty host means all addresses of the machine, port 0 any free one.
	HTTP string
	// HeaderTimeout and BodyTimeout bound the time in which a request's head and its body have to arrive, IdleTimeout how
	// long a connection may wait for its next request.
	HeaderTimeout, BodyTimeout, IdleTimeout time.Duration
	// MaxConnections is how many clients may be connected at once.
	MaxConnections int
	Place          definition.Place
}

// Management says where metrics and health are served.
type Management struct {
	// Listen is host:port.
	Listen string
	// Expose allows an address that other machines can reach, although nobody is asked for a password there yet.
	Expose bool
	// Profile serves Go's profiles at /debug/pprof/.
	Profile bool
	Place   definition.Place
}

func defaultListen() Listen {
	return Listen{
		HTTP: ":8080", HeaderTimeout: 10 * time.Second, BodyTimeout: 60 * time.Second, IdleTimeout: 310 * time.Second,
		MaxConnections: 100_000,
	}
}

func (l *Listen) read(d *decoder, key string, n *doctree.Node) {
	l.Place = d.at(n)
	d.mapping(key, n, []field{
		{"http", address(&l.HTTP, &l.Place)},
		{"https", notServed(definition.Error, "HTTPS listeners are not served yet", "remove the key and end TLS in front of Gatehouse")},
		{"header_timeout", duration(&l.HeaderTimeout, time.Millisecond, time.Hour)},
		{"body_timeout", duration(&l.BodyTimeout, time.Millisecond, time.Hour)},
		{"idle_timeout", duration(&l.IdleTimeout, time.Millisecond, time.Hour)},
		{"max_connections", whole(&l.MaxConnections, 1, math.MaxInt32)},
	})
}

func (m *Management) read(d *decoder, key string, n *doctree.Node) {
	m.Place = d.at(n)
	d.mapping(key, n, []field{
		{"listen", address(&m.Listen, &m.Place)},
		{"expose", boolean(&m.Expose)},
		{"profile", boolean(&m.Profile)},
	})
}

// address is a reader of host:port. The place becomes that of the address.
func address(into *string, at *definition.Place) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		s, ok := d.scalar(key, n, "host:port")
		if !ok {
			return
		}
		host, port, err := net.SplitHostPort(s)
		if err != nil || !isPort(port) || strings.ContainsAny(host, " /@") {
			d.fail(codeBadAddress, n, `write it like "127.0.0.1:8080" or ":8080"`, "%s takes host:port, not %s", key, quote(n.Value))
			return
		}
		*into, *at = s, d.at(n)
	}
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// checkListeners looks at both listeners together, once all of their keys are known.
func (d *decoder) checkListeners() {
	l, m := &d.file.Listen, &d.file.Management
	host, port, _ := net.SplitHostPort(m.Listen)
	if !m.Expose && !isLoopback(host) {
		d.diags.Add(definition.Error, codeExposed, m.Place, "listen on 127.0.0.1, or say expose: true if the network keeps others out",
			"the management address has no access control yet and can be reached from other machines")
	}
	otherHost, otherPort, _ := net.SplitHostPort(l.HTTP)
	if port == otherPort && port != "0" && (host == otherHost || isAny(host) || isAny(otherHost)) {
		at := m.Place
		if at.File == "" {
			at = l.Place
		}
		d.diags.Add(definition.Error, codeConflictingKeys, at, "give one of them another port",
			"management and listen.http have the same port %s", port)
	}
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

func isAny(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

func (d *decoder) readData(n *doctree.Node) {
	s, ok := d.scalar("data", n, "a folder")
	if !ok {
		return
	}
	if strings.Contains(s, "://") {
		d.fail(codeNotServed, n, "name a folder: state is kept in an embedded database there", "a database elsewhere is not served yet")
		return
	}
	if s == "" {
		d.fail(codeBadValue, n, "", "data takes a folder, not empty text")
		return
	}
	d.file.Data = d.files.path(s)
}
