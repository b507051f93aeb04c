// Package fault names the kinds of failure that a caller must choose between.
//
// A kind is one of AWS's gateway response types, so that every refusal on the way of a request has exactly one public
// form, rendered by package respond. Steps return the ready errors of this package, which cost nothing; other errors
// are plain and become API_CONFIGURATION_ERROR. Nothing here knows HTTP bodies.
package fault

import "errors"

// Kind is a gateway response type.
type Kind uint8

// AWS's gateway response types; the first two are no kinds of failure but fallbacks for customising.
const (
	Default4XX Kind = iota
	Default5XX
	AccessDenied
	APIConfigurationError
	AuthorizerConfigurationError
	AuthorizerFailure
	BadRequestBody
	BadRequestParameters
	ExpiredToken
	IntegrationFailure
	IntegrationTimeout
	InvalidAPIKey
	InvalidSignature
	MissingAuthenticationToken
	QuotaExceeded
	RequestTooLarge
	ResourceNotFound
	Throttled
	Unauthorized
	UnsupportedMediaType
	WAFFiltered
	// Kinds is the number of AWS's types; what follows are Gatehouse's own, which cannot be customised.
	Kinds
	// NoMapping: the host or base path leads to no stage, or the API's own address is turned off.
	NoMapping
	// NotServed: the operation needs something that Gatehouse does not serve yet.
	NotServed
	// URITooLong and HeadersTooLarge are the limits of what is read before a body.
	URITooLong
	HeadersTooLarge
	// Malformed is a request that is not HTTP or could be read in two ways.
	Malformed
	// All is the number of kinds.
	All
)

var names = [All]string{
	"DEFAULT_4XX", "DEFAULT_5XX", "ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR",
	"AUTHORIZER_FAILURE", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "EXPIRED_TOKEN", "INTEGRATION_FAILURE",
	"INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED",
	"REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
	"", "NO_MAPPING", "NOT_SERVED", "URI_TOO_LONG", "HEADERS_TOO_LARGE", "MALFORMED",
}

// String gives AWS's name of the type.
func (k Kind) String() string {
	if k >= All {
		return "UNKNOWN"
	}
	return names[k]
}

// KindOf finds the gateway response type with AWS's name.
func KindOf(name string) (Kind, bool) {
	for k := range Kinds {
		if names[k] == name {
			return k, true
		}
	}
	return 0, false
}

// Error is a failure of a known kind. It is immutable and shared between requests.
type Error struct {
	Kind Kind
	// Message replaces the kind's usual message to the client; "" keeps it.
	Message string
	// Reason is for the log only and never reaches a client.
	Reason string
}

// Error gives the reason, else the kind's name.
func (e *Error) Error() string {
	if e.Reason != "" {
		return e.Reason
	}
	return e.Kind.String()
}

// New makes a failure with a reason for the log.
func New(k Kind, reason string) *Error { return &Error{Kind: k, Reason: reason} }

// Of gives the failure inside err; an error of no kind is a fault of the definition or of Gatehouse.
func Of(err error) *Error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // the common case, without the cost of unwrapping
		return e
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: APIConfigurationError, Reason: err.Error()}
}
