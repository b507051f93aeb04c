package openapi

// The codes of this package's diagnostics; Codes says what each means.
const (
	codeUnreadable        = "unreadable-document"
	codeNotOpenAPI        = "not-openapi"
	codeVersion           = "openapi-version"
	codeOpenAPI31         = "openapi-3-1"
	codeNoVersion         = "no-openapi-version"
	codeOption            = "import-option"
	codeSwaggerHTTP       = "swagger-http-api"
	codeMixedKinds        = "mixed-kinds"
	codeNotForKind        = "not-for-kind"
	codeDuplicateKey      = "duplicate-key"
	codeWrongType         = "wrong-type"
	codeBadValue          = "bad-value"
	codeNotAString        = "not-a-string"
	codeCloudFormation    = "cloudformation"
	codeExternalRef       = "external-reference"
	codeUnresolvedRef     = "unresolved-reference"
	codeCircularRef       = "circular-reference"
	codeRefExpansion      = "reference-expansion"
	codeUnknownExtension  = "unknown-extension"
	codeMisplaced         = "misplaced-extension"
	codeUnknownKey        = "unknown-key"
	codeNoTitle           = "no-title"
	codeNoOperations      = "no-operations"
	codePath              = "path-pattern"
	codePathCharacters    = "path-characters"
	codeTrace             = "trace-method"
	codeDefaultRoute      = "default-route"
	codeDuplicateOp       = "duplicate-operation"
	codeDuplicateID       = "duplicate-operation-id"
	codeParameter         = "bad-parameter"
	codeParameterKind     = "parameter-not-mapped"
	codeUndeclaredPathVar = "undeclared-path-variable"
	codeUnusedPathVar     = "unused-path-parameter"
	codeResponseStatus    = "response-status"
	codeIntegrationType   = "integration-type"
	codeValidator         = "unknown-request-validator"
	codeGatewayResponse   = "gateway-response-type"
	codeBasePath          = "base-path"
	codeUndefinedScheme   = "undefined-security-scheme"
	codeAlternatives      = "security-alternatives"
	codeSeveralAuth       = "several-authorizers"
	codeUnknownMethodKey  = "unknown-method-key"
	codeAuthorizerType    = "authorizer-type"
	codeHTTPAPIKey        = "http-api-key"
)

// Codes returns every code that Read gives, with one line on what it means. The map is the caller's.
func Codes() map[string]string {
	return map[string]string{
		codeUnreadable:        "the text is neither valid JSON nor valid YAML",
		codeNotOpenAPI:        "the document is not an OpenAPI document",
		codeVersion:           "the version of OpenAPI is not one that can be read",
		codeOpenAPI31:         "OpenAPI 3.1 is read here and refused by AWS",
		codeNoVersion:         "the document does not say its version and is read as Swagger 2.0",
		codeOption:            "a setting for reading the document has an unknown value",
		codeSwaggerHTTP:       "an HTTP API needs OpenAPI 3, as on AWS",
		codeMixedKinds:        "the document has marks of REST and of HTTP APIs and is read as a REST API",
		codeNotForKind:        "the key has no effect in this kind of API",
		codeDuplicateKey:      "a mapping has the same key twice and the last one counts",
		codeWrongType:         "the value has the wrong shape",
		codeBadValue:          "the value is not one of those allowed",
		codeNotAString:        "a parameter's value is not text and is left out, as AWS does",
		codeCloudFormation:    "CloudFormation functions are kept as text and not evaluated",
		codeExternalRef:       "a reference leaves the document",
		codeUnresolvedRef:     "a reference leads to nothing",
		codeCircularRef:       "a reference leads back to itself",
		codeRefExpansion:      "references repeat more of the document than is allowed",
		codeUnknownExtension:  "no extension of API Gateway has this name",
		codeMisplaced:         "the extension has no effect at this place",
		codeUnknownKey:        "no such key exists inside the extension",
		codeNoTitle:           "the API has no name",
		codeNoOperations:      "the document has no operations",
		codePath:              "the path is not a valid pattern",
		codePathCharacters:    "the path has characters that API Gateway does not take",
		codeTrace:             "TRACE is not a method of API Gateway and is left out",
		codeDefaultRoute:      "the $default route takes any method only",
		codeDuplicateOp:       "two operations have the same method and path",
		codeDuplicateID:       "two operations have the same operationId",
		codeParameter:         "a parameter lacks its name or its place",
		codeParameterKind:     "API Gateway takes no parameters of this kind",
		codeUndeclaredPathVar: "a variable of the path is not declared as a parameter",
		codeUnusedPathVar:     "a declared path parameter is not in the path",
		codeResponseStatus:    "a response has no valid status code",
		codeIntegrationType:   "the integration's type is missing or not one of this kind of API",
		codeValidator:         "the operation names a request validator that is not defined",
		codeGatewayResponse:   "no gateway response has this type",
		codeBasePath:          "the document's base path cannot be read",
		codeUndefinedScheme:   "a security requirement names a scheme that is not defined",
		codeAlternatives:      "several security alternatives are all demanded, since AWS knows no choice",
		codeSeveralAuth:       "an operation demands more than one authorizer",
		codeUnknownMethodKey:  "a path has an entry that is neither a method nor anything else that belongs there",
		codeAuthorizerType:    "the authorizer's type is missing or not one of this kind of API",
		codeHTTPAPIKey:        "HTTP APIs have no API keys on AWS",
	}
}
