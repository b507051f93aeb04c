package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
)

func (c *compiler) indexUpstreams() {
	for i := range c.in.Upstreams {
		d := &c.in.Upstreams[i]
		c.upstreams[strings.ToLower(d.Host)] = d
	}
}

func (c *compiler) unusedUpstreams() {
	for _, host := range slices.Sorted(maps.Keys(c.upstreams)) {
		if !c.used[host] {
			c.warn("unused-upstream", c.upstreams[host].Place, "name the host as it stands in an integration's URI",
				"no integration calls the upstream %q", host)
		}
	}
	for _, up := range c.out.Upstreams {
		if len(up.CA) > 0 && !strings.Contains(string(up.CA), "-----BEGIN CERTIFICATE-----") {
			c.error("bad-ca", c.placeOf(up.Host), "give a PEM file with certificates", "the upstream %q has no certificate in its CA file", up.Host)
		}
	}
}

func (c *compiler) placeOf(host string) definition.Place {
	for name, d := range c.upstreams {
		if name == strings.ToLower(host) {
			return d.Place
		}
	}
	return definition.Place{}
}

// upstreamID names connections that may be shared: the same servers, reached in the same way.
func upstreamID(scheme string, up *snapshot.Upstream) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v %q %v %q %d %d", up.Servers, up.ServerName, up.InsecureSkipVerification, up.CA, up.MaxConnections, up.IdleTimeout)
	return scheme + "://" + up.Host + "#" + hex.EncodeToString(h.Sum(nil)[:6])
}
