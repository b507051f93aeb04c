package transform

import (
	"bytes"
	"net"
	"strconv"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
)

// The headers that the gateway writes.
const (
	nameTraceID      = "X-Amzn-Trace-Id"
	nameGatewayAPIID = "X-Amzn-Apigateway-Api-Id"
	nameForwarded    = "Forwarded"
)

var (
	nameHost  = []byte(fasthttp.HeaderHost)
	nameTrace = []byte(nameTraceID)
)

// writeHeaders puts all lines into the request, adding the gateway's own.
//
// Adding header by header costs fasthttp two copies and four searches for line breaks each, half of this package's
// time. So all lines go in as the front of the last header's name, which SetCanonical takes as it is: names and values
// were checked one by one before. Host and the trace id are headers by themselves, as others look for them.
func (s *RequestStep) writeHeaders(x *exchange.Exchange, in *incoming) {
	h := &x.Backend.Request.Header
	h.DisableNormalizing()
	h.DisableSpecialHeader() // names keep their case, and cookies are not parsed
	h.SetCanonical(nameHost, s.host)
	if s.column == toV2 {
		var room [256]byte
		value := appendForwarded(room[:0], x, in)
		in.lines = append(in.lines, nameForwarded...)
		h.SetCanonical(in.lines, value)
	} else {
		s.addDefaults(x, in)
		in.lines = append(in.lines, nameGatewayAPIID...)
		h.SetCanonical(in.lines, s.apiID)
	}
	trace := in.trace
	if trace == nil {
		trace = x.AppendTraceID(in.lines[:0])
	}
	h.SetCanonical(nameTrace, trace)
}

// addDefaults adds what a REST API's backend gets beside the client's headers.
//
// AWS: also sends "Connection: keep-alive", which HTTP/1.1 means anyway.
func (s *RequestStep) addDefaults(x *exchange.Exchange, in *incoming) {
	if !in.seen.has(xForwardedFor) {
		in.addForwardedFor(x)
	}
	if !in.seen.has(xForwardedProto) {
		addLine(in, fasthttp.HeaderXForwardedProto, scheme(x))
	}
	if !in.seen.has(xForwardedPort) {
		in.lines = append(in.lines, "X-Forwarded-Port: "...)
		in.lines = appendPort(in.lines, x)
		in.lines = append(in.lines, "\r\n"...)
	}
	if !in.seen.has(accept) {
		addLine(in, fasthttp.HeaderAccept, jsonType)
	}
	if !in.seen.has(userAgent) {
		addLine(in, fasthttp.HeaderUserAgent, s.userAgent)
	}
}

// addForwardedFor adds the client's address behind those that the client told.
func (in *incoming) addForwardedFor(x *exchange.Exchange) {
	if len(in.forwardedFor) == 0 && !x.ClientIP.IsValid() {
		return
	}
	in.lines = append(in.lines, "X-Forwarded-For: "...)
	in.lines = append(in.lines, in.forwardedFor...)
	if x.ClientIP.IsValid() {
		if len(in.forwardedFor) > 0 {
			in.lines = append(in.lines, ", "...)
		}
		in.lines = x.ClientIP.Unmap().AppendTo(in.lines)
	}
	in.lines = append(in.lines, "\r\n"...)
}

func scheme(x *exchange.Exchange) string {
	if x.TLS != nil {
		return "https"
	}
	return "http"
}

// appendPort appends the port that the client connected to.
func appendPort(dst []byte, x *exchange.Exchange) []byte {
	if x.Conn != nil {
		if a, ok := x.Conn.LocalAddr().(*net.TCPAddr); ok {
			return strconv.AppendInt(dst, int64(a.Port), 10)
		}
	}
	if x.TLS != nil {
		return append(dst, "443"...)
	}
	return append(dst, "80"...)
}

// appendForwarded appends what an HTTP API's backend gets: one Forwarded header that tells of every hop, the client's
// own words first. AWS: also has "by=", with an address of AWS's own.
func appendForwarded(dst []byte, x *exchange.Exchange, in *incoming) []byte {
	if len(in.forwarded) > 0 {
		dst = append(dst, in.forwarded...)
		dst = append(dst, ", "...)
	}
	dst = appendHops(dst, in)
	var room [64]byte
	ip := room[:0]
	if x.ClientIP.IsValid() {
		ip = x.ClientIP.Unmap().AppendTo(ip)
	}
	dst = appendFor(dst, ip)
	dst = appendPair(dst, ";host=", x.Request.Header.Host())
	dst = append(dst, ";proto="...)
	return append(dst, scheme(x)...)
}

// appendHops folds the client's X-Forwarded-For, -Host and -Proto into elements of Forwarded; the host and scheme are
// those that the first hop saw.
func appendHops(dst []byte, in *incoming) []byte {
	hostPair, protoPair := in.forwardedHost, in.forwardedProto
	hops := in.forwardedFor
	for len(hops) > 0 {
		var hop []byte
		hop, hops, _ = bytes.Cut(hops, comma)
		hop = bytes.TrimSpace(hop)
		if len(hop) == 0 {
			continue
		}
		dst = appendFor(dst, hop)
		dst = appendPair(dst, ";host=", hostPair)
		dst = appendPair(dst, ";proto=", protoPair)
		dst = append(dst, ", "...)
		hostPair, protoPair = nil, nil
	}
	return dst
}

// appendFor appends "for=" with a node's name. IPv6 stands in brackets and quotes (RFC 7239, 6).
func appendFor(dst, node []byte) []byte {
	if bytes.Count(node, []byte{':'}) > 1 && node[0] != '[' {
		dst = append(dst, `for="[`...)
		dst = appendQuotable(dst, node)
		return append(dst, `]"`...)
	}
	if len(node) == 0 {
		node = []byte("unknown")
	}
	return appendPair(dst, "for=", node)
}

// appendPair appends a parameter, quoted when it is no token; nothing without a value.
func appendPair(dst []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = append(dst, name...)
	if validName(value) {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	dst = appendQuotable(dst, value)
	return append(dst, '"')
}

func appendQuotable(dst, v []byte) []byte {
	for _, c := range v {
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			dst = append(dst, c)
		}
	}
	return dst
}
