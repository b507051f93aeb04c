package compile

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
)

// uri is an integration's URI with its stage variables filled in.
type uri struct {
	scheme, host, path, query string
	full                      string
}

var stageVariable = regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)

// stageVariables fills in the stage's variables and says which are missing.
func stageVariables(s string, variables map[string]string) (string, []string) {
	var missing []string
	out := stageVariable.ReplaceAllStringFunc(s, func(m string) string {
		name := stageVariable.FindStringSubmatch(m)[1]
		v, ok := variables[name]
		if !ok && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
		return v
	})
	return out, missing
}

// parseURI takes an http or https URI apart. Placeholders may stand in its path and query.
func parseURI(s string) (uri, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || (!strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https")) {
		return uri{}, fmt.Errorf("%q is no http:// or https:// URL", s)
	}
	u := uri{scheme: strings.ToLower(scheme), full: s}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		u.host, u.path = rest[:i], rest[i:]
	} else {
		u.host = rest
	}
	u.path, _, _ = strings.Cut(u.path, "#")
	u.path, u.query, _ = strings.Cut(u.path, "?")
	if u.path == "" {
		u.path = "/"
	}
	if err := checkHost(u.host); err != nil {
		return uri{}, fmt.Errorf("%q: %w", s, err)
	}
	if _, err := url.Parse(u.scheme + "://" + u.host + placeholder.ReplaceAllString(u.path, "x")); err != nil {
		return uri{}, fmt.Errorf("%q is no URL: %w", s, err)
	}
	if i := strings.IndexFunc(u.path+u.query, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return uri{}, fmt.Errorf("%q has a blank or control character in it", s)
	}
	return u, nil
}

func checkHost(host string) error {
	if host == "" {
		return fmt.Errorf("it has no host")
	}
	if strings.ContainsAny(host, "{}@\\ \t%<>\"'") {
		return fmt.Errorf("the host %q is not valid", host)
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		if h == "" || p == "" || strings.Trim(p, "0123456789") != "" {
			return fmt.Errorf("the host %q is not valid", host)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{([a-zA-Z0-9._$:-]+)\+?\}`)

// template compiles text with {placeholders}; resolve gives the text for each.
func template(s string, resolve func(name string) snapshot.Text) snapshot.Text {
	var t snapshot.Text
	last := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(s, -1) {
		t = append(t, snapshot.Lit(s[last:m[0]])...)
		t = append(t, resolve(s[m[2]:m[3]])...)
		last = m[1]
	}
	return append(t, snapshot.Lit(s[last:])...)
}

// backend finds the upstream behind a URI's host.
func (c *compiler) backend(u uri, insecure bool, serverName string) *snapshot.Upstream {
	host := u.host
	bare := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		bare = h
	} else if u.scheme == "https" {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "443")
	} else {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "80")
	}
	up := &snapshot.Upstream{
		Host: u.host, Servers: []snapshot.Server{{Addr: host, TLS: u.scheme == "https"}},
		ServerName: strings.Trim(bare, "[]"), InsecureSkipVerification: insecure,
	}
	if serverName != "" {
		up.ServerName = serverName
	}
	for _, name := range []string{u.host, host, bare} {
		if d, ok := c.upstreams[strings.ToLower(name)]; ok {
			c.used[strings.ToLower(name)] = true
			configured(up, d, u.scheme == "https")
			break
		}
	}
	up.ID = upstreamID(u.scheme, up)
	if known, ok := c.out.Upstreams[up.ID]; ok {
		return known
	}
	c.out.Upstreams[up.ID] = up
	return up
}

// configured lets the config's entry for a host replace what the URI says.
func configured(up *snapshot.Upstream, d *definition.Upstream, tls bool) {
	up.Servers = make([]snapshot.Server, len(d.Servers))
	for i, s := range d.Servers {
		up.Servers[i] = snapshot.Server{Addr: s.Addr, TLS: tls}
		if s.TLS != nil {
			up.Servers[i].TLS = *s.TLS
		}
	}
	up.InsecureSkipVerification = up.InsecureSkipVerification || d.InsecureSkipVerification
	up.CA, up.MaxConnections, up.IdleTimeout = d.CA, d.MaxConnections, d.IdleTimeout
}
