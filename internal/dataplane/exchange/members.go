package exchange

import (
	"bytes"
	"crypto/tls"
	"strconv"

	"gatehouse/internal/snapshot"
)

// appendPath appends $context.path: the request's path with its stage.
func (x *Exchange) appendPath(dst []byte) []byte {
	uri := x.Request.Header.RequestURI()
	if i := bytes.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	return append(dst, uri...)
}

// appendLength appends the number of bytes of the answer's body, as far as it is known.
func (x *Exchange) appendLength(dst []byte) []byte {
	if x.Response.IsBodyStream() {
		if n := x.Response.Header.ContentLength(); n >= 0 {
			return strconv.AppendInt(dst, int64(n), 10)
		}
		return dst
	}
	return strconv.AppendInt(dst, int64(len(x.Response.Body())), 10)
}

func (x *Exchange) appendTLS(dst []byte, v snapshot.ContextVar) []byte {
	if x.TLS == nil {
		return dst
	}
	if v == snapshot.CtxTLSVersion {
		if x.TLS.Version == tls.VersionTLS13 {
			return append(dst, "TLSv1.3"...)
		}
		return append(dst, "TLSv1.2"...)
	}
	return append(dst, tls.CipherSuiteName(x.TLS.CipherSuite)...)
}

// appendKey appends what is known of the caller's key. The key's value is a secret: its id stands for it.
func (x *Exchange) appendKey(dst []byte, v snapshot.ContextVar) []byte {
	if x.Key == nil {
		return dst
	}
	if v == snapshot.CtxUsagePlanID {
		if x.Use == nil {
			return dst
		}
		return append(dst, x.Use.Plan.ID...)
	}
	return append(dst, x.Key.ID...)
}

// hostOnly is a Host header without its port.
func hostOnly(host []byte) []byte {
	if len(host) > 0 && host[0] == '[' {
		if i := bytes.IndexByte(host, ']'); i > 0 {
			return host[1:i]
		}
	}
	if i := bytes.LastIndexByte(host, ':'); i >= 0 {
		return host[:i]
	}
	return host
}
