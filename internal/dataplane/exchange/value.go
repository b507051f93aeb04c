package exchange

import (
	"bytes"
	"strconv"
	"strings"

	"gatehouse/internal/lib/percent"
	"gatehouse/internal/snapshot"
)

// AppendValue appends what one reference stands for: decoded, unescaped, several values joined by a comma. Nothing is
// appended for what is not there.
func (x *Exchange) AppendValue(dst []byte, s *snapshot.Segment) []byte {
	switch s.Source {
	case snapshot.Literal:
		return append(dst, s.Name...)
	case snapshot.RequestPath:
		if s.Index < 0 {
			return percent.AppendDecoded(dst, x.paramNamed(s.Name), false)
		}
		return percent.AppendDecoded(dst, x.Param(s.Index), false)
	case snapshot.RequestHeader:
		return append(dst, x.Header(s.Name)...)
	case snapshot.ResponseHeader:
		return append(dst, responseHeader(&x.Backend.Response.Header, s.Name)...)
	case snapshot.RequestQuery:
		return x.appendLastQuery(dst, s.Name)
	case snapshot.RequestBody:
		b, err := x.Body()
		if err != nil {
			return dst
		}
		return append(dst, b...)
	case snapshot.ResponseBody:
		return append(dst, x.Backend.Response.Body()...)
	case snapshot.Context:
		return x.appendContext(dst, s.Var)
	case snapshot.RequestMultiQuery, snapshot.RequestMultiHeader, snapshot.ResponseMultiHeader:
		start := len(dst)
		x.EachValue(s, func(v []byte) {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = append(dst, v...)
		})
	}
	return dst
}

// EachValue calls f with every value of a multi-value reference, decoded, in the order in which they came. The bytes
// are valid during the call only.
func (x *Exchange) EachValue(s *snapshot.Segment, f func(value []byte)) {
	switch s.Source {
	case snapshot.RequestMultiHeader:
		for k, v := range x.Request.Header.All() {
			if equalFold(k, s.Name) {
				f(v)
			}
		}
	case snapshot.ResponseMultiHeader:
		for k, v := range x.Backend.Response.Header.All() {
			if equalFold(k, s.Name) {
				f(v)
			}
		}
	case snapshot.RequestMultiQuery:
		var buf []byte
		EachQuery(x.RawQuery(), func(name, value []byte) bool {
			if sameName(name, s.Name) {
				buf = percent.AppendDecoded(buf[:0], value, true)
				f(buf)
			}
			return true
		})
	default:
		f(x.AppendValue(nil, s))
	}
}

// appendLastQuery appends the last value of a query parameter. AWS: single-value maps keep the last.
func (x *Exchange) appendLastQuery(dst []byte, want string) []byte {
	var last []byte
	EachQuery(x.RawQuery(), func(name, value []byte) bool {
		if sameName(name, want) {
			last = value
		}
		return true
	})
	return percent.AppendDecoded(dst, last, true)
}

// sameName compares an encoded name of a query with a plain one, case-sensitive as AWS does.
func sameName(encoded []byte, want string) bool {
	if bytes.IndexByte(encoded, '%') < 0 && bytes.IndexByte(encoded, '+') < 0 {
		return string(encoded) == want
	}
	var buf [128]byte
	return string(percent.AppendDecoded(buf[:0], encoded, true)) == want
}

func (x *Exchange) appendContext(dst []byte, v snapshot.ContextVar) []byte {
	switch bit := uint64(1) << v; {
	case bit&definitionVars != 0:
		return x.appendDefinition(dst, v)
	case bit&outcomeVars != 0:
		return x.appendOutcome(dst, v)
	}
	return x.appendRequest(dst, v)
}

// The members of $context by where they come from; the rest come from the request.
const (
	definitionVars uint64 = 1<<snapshot.CtxAPIID | 1<<snapshot.CtxStage | 1<<snapshot.CtxAccountID |
		1<<snapshot.CtxEndpointType | 1<<snapshot.CtxResourcePath | 1<<snapshot.CtxResourceID | 1<<snapshot.CtxRouteKey
	outcomeVars uint64 = 1<<snapshot.CtxStatus | 1<<snapshot.CtxResponseLatency | 1<<snapshot.CtxResponseLength |
		1<<snapshot.CtxDataProcessed | 1<<snapshot.CtxIntegrationStatus | 1<<snapshot.CtxIntegrationLatency |
		1<<snapshot.CtxIntegrationError | 1<<snapshot.CtxIntegrationRequestID | 1<<snapshot.CtxErrorMessage |
		1<<snapshot.CtxErrorMessageString | 1<<snapshot.CtxErrorResponseType
)

// appendRequest appends the members that the request gives.
func (x *Exchange) appendRequest(dst []byte, v snapshot.ContextVar) []byte {
	switch v {
	case snapshot.CtxRequestID, snapshot.CtxAWSEndpointRequestID:
		return append(dst, x.id[:]...)
	case snapshot.CtxExtendedRequestID:
		return append(dst, x.extendedID[:]...)
	case snapshot.CtxHTTPMethod:
		if x.Method != nil {
			return append(dst, x.Method...)
		}
		return append(dst, x.Request.Header.Method()...)
	case snapshot.CtxSourceIP:
		if x.ClientIP.IsValid() {
			return x.ClientIP.AppendTo(dst)
		}
		return dst
	case snapshot.CtxUserAgent:
		return append(dst, x.Request.Header.UserAgent()...)
	case snapshot.CtxPath:
		return x.appendPath(dst)
	case snapshot.CtxProtocol:
		return append(dst, "HTTP/1.1"...) // AWS: always reads so, whatever the client spoke
	case snapshot.CtxRequestTime:
		return x.appendRequestTime(dst)
	case snapshot.CtxRequestTimeEpoch:
		return strconv.AppendInt(dst, x.Started.UnixMilli(), 10)
	case snapshot.CtxDomainName:
		return append(dst, hostOnly(x.Request.Header.Host())...)
	case snapshot.CtxDomainPrefix:
		h, _, _ := bytes.Cut(hostOnly(x.Request.Header.Host()), []byte{'.'})
		return append(dst, h...)
	case snapshot.CtxBasePathMatched:
		return append(dst, strings.TrimPrefix(x.BasePath, "/")...)
	case snapshot.CtxTLSVersion, snapshot.CtxCipherSuite:
		return x.appendTLS(dst, v)
	case snapshot.CtxXrayTraceID:
		return append(dst, x.Backend.Request.Header.Peek("X-Amzn-Trace-Id")...)
	case snapshot.CtxAPIKey, snapshot.CtxAPIKeyID, snapshot.CtxUsagePlanID:
		return x.appendKey(dst, v)
	}
	return dst
}

// appendDefinition appends the members that the API, stage and route give.
func (x *Exchange) appendDefinition(dst []byte, v snapshot.ContextVar) []byte {
	if x.Stage == nil {
		return dst
	}
	switch v {
	case snapshot.CtxAPIID:
		return append(dst, x.Stage.API.ID...)
	case snapshot.CtxStage:
		return append(dst, x.Stage.Name...)
	case snapshot.CtxAccountID:
		return append(dst, AccountID...)
	case snapshot.CtxEndpointType:
		return append(dst, "REGIONAL"...)
	}
	if x.Route == nil {
		return dst
	}
	switch v {
	case snapshot.CtxResourcePath:
		return append(dst, x.Route.Path...)
	case snapshot.CtxResourceID:
		return append(dst, x.Route.ResourceID...)
	case snapshot.CtxRouteKey:
		return append(dst, x.Route.Key...)
	}
	return dst
}

// AccountID stands where AWS has an account: Gatehouse has none.
const AccountID = "000000000000"

// appendOutcome appends the members that are known at the end.
func (x *Exchange) appendOutcome(dst []byte, v snapshot.ContextVar) []byte {
	b := &x.Backend
	switch v {
	case snapshot.CtxStatus:
		return strconv.AppendInt(dst, int64(x.Response.StatusCode()), 10)
	case snapshot.CtxResponseLatency:
		return strconv.AppendInt(dst, x.Latency.Milliseconds(), 10)
	case snapshot.CtxResponseLength, snapshot.CtxDataProcessed:
		return x.appendLength(dst)
	case snapshot.CtxIntegrationStatus:
		if b.Status != 0 {
			return strconv.AppendInt(dst, int64(b.Status), 10)
		}
	case snapshot.CtxIntegrationLatency:
		if b.Called {
			return strconv.AppendInt(dst, b.Latency.Milliseconds(), 10)
		}
	case snapshot.CtxIntegrationError:
		if b.Err != nil {
			return append(dst, b.Err.Error()...)
		}
	case snapshot.CtxIntegrationRequestID:
		return append(dst, responseHeader(&b.Response.Header, "x-amzn-RequestId")...)
	case snapshot.CtxErrorMessage:
		return append(dst, x.RefusalMessage...)
	case snapshot.CtxErrorMessageString:
		if x.Refusal == nil {
			return dst
		}
		dst = append(dst, '"')
		dst = AppendJSON(dst, []byte(x.RefusalMessage))
		return append(dst, '"')
	case snapshot.CtxErrorResponseType:
		if x.Refusal != nil {
			return append(dst, x.Refusal.Kind.String()...)
		}
	}
	return dst
}
