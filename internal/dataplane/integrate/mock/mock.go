// Package mock answers for MOCK integrations: it finds the status that the request template gives.
//
// It stands where another integration would call its backend. There is none: it only sets x.Backend.Status, by which
// the response's transformation then selects an integration response. It must not write the response itself.
package mock

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// Step answers one route's requests. It serves many requests at once.
type Step struct {
	types     []string // media types in lower case
	status    int      // of the template, 0 when it renders none
	unmatched snapshot.Passthrough
}

var (
	errNoStatus = &fault.Error{
		Kind: fault.APIConfigurationError, Reason: `the mock's request template gives no JSON with a number "statusCode"`,
	}
	errBodyStatus = &fault.Error{
		Kind: fault.APIConfigurationError, Reason: `the mock has no template for the body's media type, and the body is no JSON with a number "statusCode"`,
	}
	errMediaType = &fault.Error{
		Kind: fault.UnsupportedMediaType, Reason: "the mock has no template for the body's media type",
	}
)

// For makes the step for a route; nil when its integration is no MOCK.
func For(r *snapshot.Route) *Step {
	in := r.Integration
	if in == nil || in.Kind != snapshot.Mock {
		return nil
	}
	s := &Step{unmatched: in.Unmatched}
	for _, t := range in.RequestTypes {
		s.types = append(s.types, strings.ToLower(string(mediaType([]byte(t)))))
	}
	if n, ok := status([]byte(in.MockStatus)); ok {
		s.status = n
	}
	return s
}

// Do sets x.Backend.Status.
func (s *Step) Do(x *exchange.Exchange) error {
	x.Backend.Called = true
	if s.matches(x.Request.Header.ContentType()) {
		if s.status == 0 {
			return errNoStatus
		}
		x.Backend.Status = s.status
		return nil
	}
	if s.unmatched == snapshot.Never || s.unmatched == snapshot.WhenNoTemplates && len(s.types) > 0 {
		return errMediaType
	}
	return passed(x)
}

// matches reports whether there is a template for a Content-Type. AWS: no Content-Type means application/json.
func (s *Step) matches(header []byte) bool {
	want := mediaType(header)
	if len(want) == 0 {
		want = []byte("application/json")
	}
	for _, t := range s.types {
		if len(t) == len(want) && bytes.EqualFold(want, []byte(t)) {
			return true
		}
	}
	return false
}

func mediaType(v []byte) []byte {
	v, _, _ = bytes.Cut(v, []byte{';'})
	return bytes.TrimSpace(v)
}

// passed takes the request's body for what a template would have given.
func passed(x *exchange.Exchange) error {
	b, err := x.Body()
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err == nil {
		n, ok := status(bytes.Trim(members["statusCode"], `"`))
		if !ok {
			return errBodyStatus
		}
		x.Backend.Status = n
		return nil
	}
	n, ok := status(unquoted(b))
	if !ok {
		return errBodyStatus
	}
	x.Backend.Status = n
	return nil
}

// unquoted gives the value of {statusCode: 200}. AWS: the name needs no quotes.
func unquoted(b []byte) []byte {
	b = bytes.TrimSpace(b)
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return nil
	}
	name, value, _ := bytes.Cut(b[1:len(b)-1], []byte{':'})
	if string(bytes.Trim(bytes.TrimSpace(name), "'")) != "statusCode" {
		return nil
	}
	return bytes.TrimSpace(value)
}

// status parses a status code of three digits.
func status(b []byte) (int, bool) {
	if len(b) != 3 {
		return 0, false
	}
	n, err := strconv.Atoi(string(b))
	return n, err == nil && n >= fasthttp.StatusContinue
}
