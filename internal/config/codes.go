package config

// The codes of this package's diagnostics.
const (
	codeAPIID             = "api-id"
	codeBadAddress        = "bad-address"
	codeBadBasePath       = "bad-base-path"
	codeBadCA             = "bad-ca"
	codeBadHost           = "bad-host"
	codeBadName           = "bad-name"
	codeBadReference      = "bad-reference"
	codeBadRoute          = "bad-route"
	codeBadThrottle       = "bad-throttle"
	codeBadURL            = "bad-url"
	codeBadValue          = "bad-value"
	codeConflictingKeys   = "conflicting-keys"
	codeDuplicateKey      = "duplicate-key"
	codeExposed           = "exposed-management"
	codeKeyInTwoPlans     = "key-in-two-plans"
	codeKeyValue          = "key-value"
	codeKeyWithoutPlan    = "key-without-plan"
	codeMissingKey        = "missing-key"
	codeNoAPIs            = "no-apis"
	codeNoEffect          = "no-effect"
	codeNotServed         = "not-served"
	codePlanWithoutKeys   = "plan-without-keys"
	codePlanWithoutStages = "plan-without-stages"
	codeRepeated          = "repeated"
	codeStageName         = "stage-name"
	codeStageVariable     = "stage-variable"
	codeSyntax            = "syntax"
	codeThrottleNobody    = "throttle-nobody"
	codeUnknownAPI        = "unknown-api"
	codeUnknownKey        = "unknown-key"
	codeUnknownMethod     = "unknown-method"
	codeUnknownPlan       = "unknown-plan"
	codeUnknownStage      = "unknown-stage"
	codeUnknownVariable   = "unknown-variable"
	codeUnmapped          = "unmapped"
	codeUnreadableFile    = "unreadable-file"
	codeUnsetVariable     = "unset-variable"
	codeWrongType         = "wrong-type"
)

// Codes gives every code that Load may report itself, with one line that explains it. Documents that the file names add
// those of package openapi. The map belongs to the caller.
func Codes() map[string]string {
	return map[string]string{
		codeAPIID:             "the name of an API is its id: 1 to 64 lower-case letters, digits and hyphens",
		codeBadAddress:        "an address to listen on or to connect to is not host:port",
		codeBadBasePath:       "a base path is not / or /one/or/more segments of the characters that AWS allows",
		codeBadCA:             "the file of authorities holds no PEM certificate",
		codeBadHost:           "a host is not a name, *.name or *",
		codeBadName:           "the name of a usage plan or an API key has characters that it cannot have",
		codeBadReference:      "a ${…} is neither ${NAME}, ${file:PATH} nor ${stageVariables.NAME}",
		codeBadRoute:          "the key of a route is not METHOD /path as AWS allows it",
		codeBadThrottle:       "rate and burst do not fit together",
		codeBadURL:            "a backend is not an http or https URL that can be called",
		codeBadValue:          "a value is of the right type, but not one of those that the key takes",
		codeConflictingKeys:   "two keys cannot stand side by side",
		codeDuplicateKey:      "a mapping has the same key twice",
		codeExposed:           "the management address can be reached from other machines, and nobody said that it may",
		codeKeyInTwoPlans:     "an API key is in two usage plans of the same stage",
		codeKeyValue:          "the value of an API key is not 20 to 128 visible ASCII characters, or another key has it",
		codeKeyWithoutPlan:    "an API key has no usage plan, so it opens nothing",
		codeMissingKey:        "a key that is needed is missing",
		codeNoAPIs:            "the file defines no API",
		codeNoEffect:          "what is said here changes nothing",
		codeNotServed:         "Gatehouse does not serve this yet",
		codePlanWithoutKeys:   "no API key is in the usage plan",
		codePlanWithoutStages: "the usage plan is for no stage",
		codeRepeated:          "the same thing is named twice in different words or in one list",
		codeStageName:         "a stage's name is not 1 to 128 letters, digits, hyphens and underscores, nor $default of an HTTP API",
		codeStageVariable:     "a stage variable is beyond AWS's limits",
		codeSyntax:            "the file is not YAML or JSON that can be read",
		codeThrottleNobody:    "rate and burst are 0, so every request is refused",
		codeUnknownAPI:        "no API has this name",
		codeUnknownKey:        "Gatehouse has no such key here",
		codeUnknownMethod:     "the API has no such method and path",
		codeUnknownPlan:       "no usage plan has this name",
		codeUnknownStage:      "the API has no stage of this name",
		codeUnknownVariable:   "the backend's URL holds a variable that the route's path does not have",
		codeUnmapped:          "no domain leads to the APIs, so only AWS's own address form reaches them",
		codeUnreadableFile:    "a file cannot be read",
		codeUnsetVariable:     "a variable of the environment is not set",
		codeWrongType:         "a value is not of the type that the key takes",
	}
}
