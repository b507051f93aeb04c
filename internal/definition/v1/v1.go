// Package v1 holds the nouns of REST APIs, AWS's service "apigateway", as plain data.
//
// Names and values are AWS's. Maps are keyed as AWS keys them. Nothing here parses, checks or serves.
package v1

import (
	"encoding/json"

	"gatehouse/internal/definition"
)

// RestAPI is one REST API with everything that belongs to it.
type RestAPI struct {
	ID          string
	Name        string
	Description string
	Version     string
	// APIKeySource is HEADER or AUTHORIZER.
	APIKeySource              string
	BinaryMediaTypes          []string
	MinimumCompressionSize    *int
	DisableExecuteAPIEndpoint bool
	// Policy is the resource policy's JSON text, empty for none.
	Policy            json.RawMessage
	Resources         []Resource
	Models            map[string]Model
	RequestValidators map[string]RequestValidator
	Authorizers       map[string]Authorizer
	GatewayResponses  map[string]GatewayResponse
	Stages            []Stage
	// Public says that operations which state nothing about access are meant to be open.
	Public bool
	// AnswerUnserved publishes operations that Gatehouse cannot serve yet, answering 501, instead of refusing the API.
	AnswerUnserved bool
	// Kept holds extensions without effect on serving, by their full name, as JSON.
	Kept map[string]Kept
	// Place is where the document starts.
	Place definition.Place
}

// Kept is an extension that is stored and given back as it came.
type Kept struct {
	Value json.RawMessage
	Place definition.Place
}

// Resource is one node of the API's path tree that has methods. Path starts with "/".
type Resource struct {
	Path    string
	Methods []Method
	Place   definition.Place
}

// Access is what the author of an operation said about who may call it.
type Access uint8

// The values of Access.
const (
	// AccessUnstated: nothing was said; refused unless the API is public.
	AccessUnstated Access = iota
	// AccessOpen: declared open by an empty security list.
	AccessOpen
	// AccessGuarded: an API key, an authorizer or IAM.
	AccessGuarded
)

// Method is one operation. HTTPMethod is in upper case, "ANY" for any.
type Method struct {
	HTTPMethod string
	// AuthorizationType is NONE, AWS_IAM, CUSTOM or COGNITO_USER_POOLS; or UNENFORCED for a security scheme that nothing
	// enforces, or ANONYMOUS for an empty requirement.
	AuthorizationType string
	// Authorizer names an entry of RestAPI.Authorizers.
	Authorizer          string
	AuthorizationScopes []string
	APIKeyRequired      bool
	Access              Access
	// RequestValidator names an entry of RestAPI.RequestValidators.
	RequestValidator string
	OperationName    string
	// RequestParameters is keyed "method.request.{path|querystring|header}.NAME"; true means required.
	RequestParameters map[string]bool
	// RequestModels is keyed by media type and names entries of RestAPI.Models.
	RequestModels map[string]string
	// Responses is keyed by status code.
	Responses   map[string]MethodResponse
	Integration *Integration
	Kept        map[string]Kept
	Place       definition.Place
}

// MethodResponse declares what a client may get. ResponseParameters is keyed "method.response.header.NAME".
type MethodResponse struct {
	ResponseParameters map[string]bool
	ResponseModels     map[string]string
}

// Text is a string of the user's and where it stands.
type Text struct {
	Value string
	Place definition.Place
}

// Integration says what a method calls.
type Integration struct {
	// Type is HTTP, HTTP_PROXY, AWS, AWS_PROXY or MOCK.
	Type                string
	HTTPMethod          string
	URI                 Text
	ConnectionType      string
	ConnectionID        string
	Credentials         string
	RequestParameters   map[string]Text
	RequestTemplates    map[string]Text
	PassthroughBehavior string
	ContentHandling     string
	// TimeoutInMillis 0 means AWS's default of 29000.
	TimeoutInMillis          int
	CacheNamespace           string
	CacheKeyParameters       []string
	InsecureSkipVerification bool
	ResponseTransferMode     string
	IntegrationTarget        string
	Responses                []IntegrationResponse
	Kept                     map[string]Kept
	Place                    definition.Place
}

// IntegrationResponse maps a backend's answer. SelectionPattern "" or "default" is the default one.
type IntegrationResponse struct {
	SelectionPattern   string
	StatusCode         string
	ResponseParameters map[string]Text
	ResponseTemplates  map[string]Text
	ContentHandling    string
	Place              definition.Place
}

// Model is a JSON Schema. Schema is its JSON text as it stood in the document.
type Model struct {
	Name        string
	ContentType string
	Schema      json.RawMessage
	Place       definition.Place
}

// RequestValidator says what of a request is checked.
type RequestValidator struct {
	Name                      string
	ValidateRequestBody       bool
	ValidateRequestParameters bool
	Place                     definition.Place
}

// Authorizer is one way to find out who calls. Type is TOKEN, REQUEST, COGNITO_USER_POOLS or, as an extension, JWT.
type Authorizer struct {
	Name string
	Type string
	// Definition is the extension's JSON as it stood in the document.
	Definition json.RawMessage
	Place      definition.Place
}

// GatewayResponse customises the answer to refused requests. ResponseType is one of AWS's, such as "THROTTLED".
type GatewayResponse struct {
	ResponseType string
	// StatusCode "" keeps the type's own.
	StatusCode string
	// ResponseParameters is keyed "gatewayresponse.header.NAME".
	ResponseParameters map[string]Text
	// ResponseTemplates is keyed by media type.
	ResponseTemplates map[string]Text
	Place             definition.Place
}

// Stage is a published state of the API.
type Stage struct {
	Name      string
	Variables map[string]string
	// Throttle holds for the stage as a whole; nil means AWS's account limit.
	Throttle *definition.Throttle
	// MethodSettings is keyed "/path/METHOD" ("/pets/{id}/GET").
	MethodSettings map[string]MethodSetting
	// AccessLogFormat "" means the config's.
	AccessLogFormat Text
	Place           definition.Place
}

// MethodSetting is what a stage sets for one method.
type MethodSetting struct {
	Throttle *definition.Throttle
	Place    definition.Place
}
