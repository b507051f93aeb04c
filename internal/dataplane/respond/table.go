package respond

import (
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
)

// standard is how a kind is answered when nobody customised it.
type standard struct {
	status    int
	errorType string
	key       string
	message   string
}

// builtIn is AWS's table of gateway responses for REST APIs.
func builtIn(k fault.Kind) standard {
	const key = "message"
	switch k {
	case fault.AccessDenied:
		return standard{403, "AccessDeniedException", "Message", "User is not authorized to access this resource"}
	case fault.AuthorizerConfigurationError:
		return standard{500, "AuthorizerConfigurationException", key, ""}
	case fault.AuthorizerFailure:
		return standard{500, "AuthorizerFailureException", key, ""}
	case fault.BadRequestBody:
		return standard{400, "BadRequestException", key, "Invalid request body"}
	case fault.BadRequestParameters:
		return standard{400, "BadRequestException", key, "Missing required request parameters"}
	case fault.ExpiredToken:
		return standard{403, "ExpiredTokenException", key, "The security token included in the request is expired"}
	case fault.IntegrationTimeout:
		return standard{504, "InternalServerErrorException", key, "Endpoint request timed out"}
	case fault.InvalidAPIKey, fault.WAFFiltered, fault.NoMapping:
		return standard{403, "ForbiddenException", key, "Forbidden"}
	case fault.InvalidSignature:
		return standard{403, "InvalidSignatureException", key, "The request signature we calculated does not match the signature you provided"}
	case fault.MissingAuthenticationToken:
		return standard{403, "MissingAuthenticationTokenException", key, "Missing Authentication Token"}
	case fault.QuotaExceeded:
		return standard{429, "LimitExceededException", key, "Limit Exceeded"}
	case fault.RequestTooLarge:
		return standard{413, "RequestTooLargeException", key, "Request Too Long"}
	case fault.ResourceNotFound:
		return standard{404, "ResourceNotFoundException", key, "Not Found"}
	case fault.Throttled:
		return standard{429, "TooManyRequestsException", key, "Too Many Requests"}
	case fault.Unauthorized:
		return standard{401, "UnauthorizedException", key, "Unauthorized"}
	case fault.UnsupportedMediaType:
		return standard{415, "BadRequestException", key, "Unsupported Media Type"}
	case fault.NotServed:
		return standard{501, "NotImplementedException", key, "Not Implemented"}
	case fault.URITooLong:
		return standard{414, "RequestUriTooLongException", key, "Request-URI Too Long"}
	case fault.HeadersTooLarge:
		return standard{431, "RequestHeaderFieldsTooLargeException", key, "Request Header Fields Too Large"}
	case fault.Malformed:
		return standard{400, "BadRequestException", key, "Bad Request"}
	default: // API_CONFIGURATION_ERROR, INTEGRATION_FAILURE and what has no kind
		return standard{500, "InternalServerErrorException", key, "Internal server error"}
	}
}

// refuseHTTP answers as HTTP APIs do: no types, no customising.
func refuseHTTP(x *exchange.Exchange, f *fault.Error) {
	status, message := 500, "Internal Server Error"
	switch f.Kind {
	case fault.ResourceNotFound, fault.MissingAuthenticationToken:
		status, message = 404, "Not Found"
	case fault.AccessDenied, fault.InvalidAPIKey, fault.InvalidSignature, fault.ExpiredToken, fault.WAFFiltered, fault.NoMapping:
		status, message = 403, "Forbidden"
	case fault.Unauthorized:
		status, message = 401, "Unauthorized"
	case fault.Throttled, fault.QuotaExceeded:
		status, message = 429, "Too Many Requests"
	case fault.RequestTooLarge:
		status, message = 413, "Request Entity Too Large"
	case fault.IntegrationFailure, fault.IntegrationTimeout:
		status, message = 503, "Service Unavailable"
	case fault.BadRequestBody, fault.BadRequestParameters, fault.Malformed:
		status, message = 400, "Bad Request"
	case fault.NotServed, fault.URITooLong, fault.HeadersTooLarge:
		b := builtIn(f.Kind)
		status, message = b.status, b.message
	}
	if f.Kind == fault.IntegrationTimeout {
		status, message = 504, "Gateway Timeout" // AWS: documented; the message is not
	}
	if f.Message != "" {
		message = f.Message
	}
	x.RefusalMessage = message
	x.Response.SetStatusCode(status)
	x.Response.Header.SetContentType(jsonType)
	x.Response.SetBody(appendMessage(x.Response.Body()[:0], "message", message))
}
