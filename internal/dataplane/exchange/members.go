package exchange

import (
	"bytes"
	"crypto/tls"
	"strconv"
	"time"

	"gatehouse/internal/snapshot"
)

// appendPath appends $context.path: the request's path with its stage.
func (x *Exchange) appendPath(dst []byte) []byte {
	uri := x.Request.Header.RequestURI()
	for _, end := range [...]byte{'?', '#'} {
		if i := bytes.IndexByte(uri, end); i >= 0 {
			uri = uri[:i]
		}
	}
	if _, rest, absolute := bytes.Cut(uri, []byte("://")); absolute && uri[0] != '/' {
		uri = rest[max(bytes.IndexByte(rest, '/'), 0):]
	}
	return append(dst, uri...)
}

// second is a second in the Common Log Format. The requests of a connection often come within the same one.
type second struct {
	unix int64
	text [len("02/Jan/2006:15:04:05 +0000")]byte // empty before the first use
}

// appendRequestTime appends $context.requestTime.
func (x *Exchange) appendRequestTime(dst []byte) []byte {
	if s, now := &x.second, x.Started.Unix(); s.unix != now || s.text[0] == 0 {
		s.unix = now
		appendCLFTime(s.text[:0], x.Started)
	}
	return append(dst, x.second.text[:]...)
}

// appendCLFTime appends a time in the form 02/Jan/2006:15:04:05 +0000.
func appendCLFTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	const months = "JanFebMarAprMayJunJulAugSepOctNovDec"
	dst = append(dst, byte('0'+day/10), byte('0'+day%10), '/')
	dst = append(dst, months[3*month-3:3*month]...)
	dst = append(dst, '/', byte('0'+year/1000%10), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), ':')
	dst = append(dst, byte('0'+hour/10), byte('0'+hour%10), ':', byte('0'+minute/10), byte('0'+minute%10), ':')
	return append(append(dst, byte('0'+second/10), byte('0'+second%10)), " +0000"...)
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
