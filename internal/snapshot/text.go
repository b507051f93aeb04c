package snapshot

import "strings"

// Text is compiled text: constants and references in order. The zero value is the empty text.
type Text []Segment

// Source says where a segment's value comes from.
type Source uint8

// The sources.
const (
	// Literal is Segment.Name itself.
	Literal Source = iota
	// RequestPath is a path variable by Segment.Index in Route.Params.
	RequestPath
	// RequestQuery and RequestHeader give the last value, the Multi forms all, joined by a comma where one value is wanted.
	RequestQuery
	RequestMultiQuery
	RequestHeader
	RequestMultiHeader
	RequestBody
	// ResponseHeader and the like speak of the backend's answer.
	ResponseHeader
	ResponseMultiHeader
	ResponseBody
	// Context is Segment.Var; for ContextAuthorizer Segment.Name is the member.
	Context
)

// Segment is a constant or one reference.
type Segment struct {
	Source Source
	Name   string
	Index  int
	Var    ContextVar
}

// Lit makes a constant text.
func Lit(s string) Text {
	if s == "" {
		return nil
	}
	return Text{{Source: Literal, Name: s}}
}

// Constant gives the text when it refers to nothing.
func (t Text) Constant() (string, bool) {
	var b strings.Builder
	for i := range t {
		if t[i].Source != Literal {
			return "", false
		}
		b.WriteString(t[i].Name)
	}
	return b.String(), true
}

// Reads reports whether the text refers to the source.
func (t Text) Reads(s Source) bool {
	for i := range t {
		if t[i].Source == s {
			return true
		}
	}
	return false
}

// ContextVar is a member of $context.
type ContextVar uint8

// The members that this Gatehouse fills; others are known by name and print "-" in logs, nothing elsewhere.
const (
	CtxNone ContextVar = iota
	CtxAccountID
	CtxAPIID
	CtxAWSEndpointRequestID
	CtxDataProcessed
	CtxDeploymentID
	CtxDomainName
	CtxDomainPrefix
	CtxBasePathMatched
	CtxErrorMessage
	CtxErrorMessageString
	CtxErrorResponseType
	CtxExtendedRequestID
	CtxHTTPMethod
	CtxAPIKey
	CtxAPIKeyID
	CtxSourceIP
	CtxUserAgent
	CtxIntegrationError
	CtxIntegrationLatency
	CtxIntegrationStatus
	CtxIntegrationRequestID
	CtxPath
	CtxProtocol
	CtxRequestID
	CtxRequestTime
	CtxRequestTimeEpoch
	CtxResourceID
	CtxResourcePath
	CtxResponseLatency
	CtxResponseLength
	CtxRouteKey
	CtxStage
	CtxStatus
	CtxXrayTraceID
	CtxTLSVersion
	CtxCipherSuite
	CtxEndpointType
	// CtxUsagePlanID is an extension: $context.gatehouse.usagePlanId.
	CtxUsagePlanID
)
