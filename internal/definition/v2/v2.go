// Package v2 holds the nouns of HTTP APIs, AWS's service "apigatewayv2", as plain data.
//
// Names and values are AWS's. Nothing here parses, checks or serves.
package v2

import (
	"encoding/json"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
)

// API is one HTTP API with everything that belongs to it.
type API struct {
	ID                        string
	Name                      string
	Description               string
	Version                   string
	DisableExecuteAPIEndpoint bool
	// CorsConfiguration is the JSON of x-amazon-apigateway-cors, empty for none.
	CorsConfiguration json.RawMessage
	CorsPlace         definition.Place
	Routes            []Route
	Authorizers       map[string]v1.Authorizer
	Stages            []Stage
	// Public says that routes which state nothing about access are meant to be open.
	Public bool
	// AnswerUnserved publishes routes that Gatehouse cannot serve yet, answering 501, instead of refusing the API.
	AnswerUnserved bool
	Kept           map[string]v1.Kept
	Place          definition.Place
}

// Route is one route. RouteKey is "GET /pets/{id}", "ANY /pets" or "$default".
type Route struct {
	RouteKey      string
	OperationName string
	// AuthorizationType is NONE, AWS_IAM, CUSTOM or JWT.
	AuthorizationType   string
	Authorizer          string
	AuthorizationScopes []string
	// APIKeyRequired: HTTP APIs have no API keys on AWS; a document that asks for one is told so.
	APIKeyRequired bool
	Access         v1.Access
	Integration    *Integration
	Kept           map[string]v1.Kept
	Place          definition.Place
}

// Integration says what a route calls.
type Integration struct {
	// Type is HTTP_PROXY or AWS_PROXY.
	Type string
	// Subtype is such as "SQS-SendMessage", empty for none.
	Subtype              string
	Method               string
	URI                  v1.Text
	ConnectionType       string
	ConnectionID         string
	Credentials          string
	PayloadFormatVersion string
	// TimeoutInMillis 0 means AWS's default of 30000.
	TimeoutInMillis          int
	RequestParameters        map[string]v1.Text
	ResponseParameters       map[string]map[string]v1.Text
	ServerNameToVerify       string
	InsecureSkipVerification bool
	Kept                     map[string]v1.Kept
	Place                    definition.Place
}

// Stage is a published state of the API; "$default" is served without a stage segment.
type Stage struct {
	Name      string
	Variables map[string]string
	// Throttle holds for the stage as a whole; nil means AWS's account limit.
	Throttle *definition.Throttle
	// RouteSettings is keyed by route key.
	RouteSettings   map[string]v1.MethodSetting
	AccessLogFormat v1.Text
	Place           definition.Place
}
