package definition

// The access log formats that have a name. Members without quotes are never empty.
const (
	// LogFormatJSON, named "json", has what an operator looks for first.
	LogFormatJSON = `{"requestId":"$context.requestId","requestTime":"$context.requestTime",` +
		`"ip":"$context.identity.sourceIp","apiKeyId":"$context.identity.apiKeyId",` +
		`"domainName":"$context.domainName","apiId":"$context.apiId","stage":"$context.stage",` +
		`"httpMethod":"$context.httpMethod","path":"$context.path","routeKey":"$context.routeKey",` +
		`"status":$context.status,"responseLength":"$context.responseLength",` +
		`"responseLatency":$context.responseLatency,"integrationStatus":"$context.integration.status",` +
		`"integrationLatency":"$context.integration.latency","integrationError":"$context.integration.error",` +
		`"errorType":"$context.error.responseType","userAgent":"$context.identity.userAgent"}`
	// LogFormatCLF, named "clf", is the Common Log Format followed by both request ids; the id of the API key stands for
	// the user.
	LogFormatCLF = `$context.identity.sourceIp - $context.identity.apiKeyId [$context.requestTime] ` +
		`"$context.httpMethod $context.path $context.protocol" $context.status $context.responseLength ` +
		`$context.requestId $context.extendedRequestId`
)

// NamedLogFormat gives the text of a format that has a name, and any other text as it is.
func NamedLogFormat(s string) string {
	switch s {
	case "json":
		return LogFormatJSON
	case "clf":
		return LogFormatCLF
	default:
		return s
	}
}
