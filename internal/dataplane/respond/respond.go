// Package respond ends the way in front of the client: it renders refusals as gateway responses and puts AWS's ids on
// every answer.
//
// It is the only package of the data plane that writes an error to a client. It stands after the integration's response
// was transformed and before record. It never tells a client more than AWS would: reasons go to the log.
package respond

import (
	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// Refuse answers with the gateway response for err instead of whatever the response held. It sets x.Refusal.
func Refuse(x *exchange.Exchange, err error) {
	f := fault.Of(err)
	x.Refusal = f
	reset(x.Response)
	if x.Stage != nil && x.Stage.API.Kind == snapshot.HTTP {
		refuseHTTP(x, f)
		return
	}
	refuseREST(x, f)
}

// Finish puts the request's ids on the answer, refused or not.
func Finish(x *exchange.Exchange) {
	h := &x.Response.Header
	if x.Stage != nil && x.Stage.API.Kind == snapshot.HTTP {
		h.AddBytesKV(nameAPIGWRequestID, x.ExtendedID())
		return
	}
	h.AddBytesKV(nameRequestID, x.ID())
	h.AddBytesKV(nameExtendedID, x.ExtendedID())
}

var (
	nameAPIGWRequestID = []byte("apigw-requestid")
	nameRequestID      = []byte("x-amzn-RequestId")
	nameExtendedID     = []byte("x-amz-apigw-id")
	nameErrorType      = "x-amzn-ErrorType"
	jsonType           = "application/json"
)

// reset empties the response and keeps the case of header names.
func reset(r *fasthttp.Response) {
	r.Reset()
	r.Header.DisableNormalizing()
}

func refuseREST(x *exchange.Exchange, f *fault.Error) {
	b := builtIn(f.Kind)
	status, message := b.status, b.message
	if f.Message != "" {
		message = f.Message
	}
	x.RefusalMessage = message
	custom := customised(x.Stage, f.Kind, status)
	if custom != nil {
		status = customStatus(f.Kind, status, custom)
	}
	r := x.Response
	r.SetStatusCode(status)
	if b.errorType != "" {
		r.Header.Set(nameErrorType, b.errorType)
	}
	if custom == nil || len(custom.Bodies) == 0 {
		r.Header.SetContentType(jsonType)
		r.SetBody(appendMessage(r.Body()[:0], b.key, message))
	} else {
		writeBody(x, custom.Bodies)
	}
	if custom != nil {
		writeHeaders(x, custom.Headers)
	}
}

// customised finds the user's gateway response: the type's own, else the default of its class.
func customised(s *snapshot.Stage, k fault.Kind, status int) *snapshot.Refusal {
	if s == nil || k >= fault.Kinds {
		return nil
	}
	if r := s.Refusals[k]; r != nil {
		return r
	}
	if status < 500 {
		return s.Refusals[fault.Default4XX]
	}
	return s.Refusals[fault.Default5XX]
}

func customStatus(k fault.Kind, status int, r *snapshot.Refusal) int {
	if r.Status != 0 {
		return r.Status
	}
	if k == fault.IntegrationFailure {
		return fasthttp.StatusGatewayTimeout // AWS: 500 becomes the documented 504 once the type is customised
	}
	return status
}

// writeBody chooses the template by the first media type of Accept that there is one for.
func writeBody(x *exchange.Exchange, bodies []snapshot.RefusalBody) {
	chosen := &bodies[0]
	if accept := x.Header(fasthttp.HeaderAccept); len(accept) > 0 && len(bodies) > 1 {
		for i := range bodies {
			if firstMediaType(accept) == bodies[i].MediaType {
				chosen = &bodies[i]
				break
			}
		}
	}
	escape := exchange.Raw
	if chosen.MediaType == jsonType {
		escape = exchange.JSONString
	}
	x.Response.Header.SetContentType(chosen.MediaType)
	x.Response.SetBody(x.Append(nil, chosen.Text, escape))
}

func firstMediaType(accept []byte) string {
	for i, c := range accept {
		if c == ',' || c == ';' || c == ' ' {
			return string(accept[:i])
		}
	}
	return string(accept)
}

func writeHeaders(x *exchange.Exchange, headers []snapshot.Assign) {
	for i := range headers {
		x.Response.Header.Set(headers[i].Name, string(x.Append(nil, headers[i].Value, exchange.Raw)))
	}
}

// appendMessage appends {"message":"…"}; AWS writes null where there is no message.
func appendMessage(dst []byte, key, message string) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, key...)
	dst = append(dst, `":`...)
	if message == "" {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, '"')
		dst = exchange.AppendJSON(dst, []byte(message))
		dst = append(dst, '"')
	}
	return append(dst, '}')
}
