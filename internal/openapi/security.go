package openapi

import (
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/lib/doctree"
)

// Authorization types. unenforced is none of AWS's: it stands for what a document demands and AWS would silently not
// check, so that an operation with it is never served as if it were open. anonymous is none of AWS's either: nothing but
// the empty requirement {} was said, which package compile refuses.
const (
	authNone    = "NONE"
	authIAM     = "AWS_IAM"
	authCustom  = "CUSTOM"
	authCognito = "COGNITO_USER_POOLS"
	authJWT     = "JWT"
	unenforced  = "UNENFORCED"
	anonymous   = "ANONYMOUS"
)

// scheme is what a security scheme asks for: an API key or a type of authorization.
type scheme struct {
	apiKey     bool
	authType   string
	authorizer string
	at         *value
}

// access is what an operation asks of its callers.
type access struct {
	authType   string
	authorizer string
	scopes     []string
	apiKey     bool
	state      v1.Access
}

// schemeRoot is the mapping of security schemes.
func (r *reader) schemeRoot() *value {
	if r.swagger {
		return r.root.get("securityDefinitions")
	}
	return r.root.get("components").get("securitySchemes")
}

func (r *reader) readSchemes() {
	r.schemes, r.authorizers = map[string]scheme{}, map[string]v1.Authorizer{}
	r.schemeRoot().each(func(name string, v *value) {
		target := r.resolve(v)
		if target == nil || !r.mapping(target) {
			return
		}
		r.schemes[name] = r.scheme(name, target)
	})
}

func (r *reader) scheme(name string, v *value) scheme {
	s := scheme{authType: unenforced, authorizer: name, at: v}
	if a := v.get(extAuthorizer); a != nil {
		return r.authorizer(s, a)
	}
	if t := v.get(extAuthtype); t != nil {
		if text, _ := r.text(t); strings.EqualFold(text, "awsSigv4") {
			s.authType, s.authorizer = authIAM, ""
			return s
		}
	}
	kind, _ := r.text(v.get("type"))
	in, _ := r.text(v.get("in"))
	header, _ := r.text(v.get("name"))
	if kind == "apiKey" && in == "header" && strings.EqualFold(header, "x-api-key") {
		return scheme{apiKey: true, authType: authNone, at: v}
	}
	return s
}

// authorizer reads a scheme's authorizer extension. One that cannot be read stays unenforced.
func (r *reader) authorizer(s scheme, v *value) scheme {
	if !r.mapping(v) {
		return s
	}
	t := v.get("type")
	text, _ := r.text(t)
	kind, ok := r.authorizerType(text)
	if !ok {
		if t == nil {
			t = v
		}
		r.fail(codeAuthorizerType, r.place(t), "use "+r.authorizerTypes(), "the authorizer %s cannot have the type %q", s.authorizer, text)
		return s
	}
	r.authorizers[s.authorizer] = v1.Authorizer{Name: s.authorizer, Type: kind, Definition: v.n.JSON(), Place: r.place(v)}
	switch kind {
	case authCognito, authJWT:
		s.authType = kind
	default:
		s.authType = authCustom
	}
	if kind == authJWT && r.kind == rest {
		// AWS: REST APIs have no JWT authorizers; here they have, as an extension.
		r.warn(codeAuthorizerType, r.place(t), "use cognito_user_pools for AWS, or make this an HTTP API",
			"AWS has JWT authorizers in HTTP APIs only")
	}
	return s
}

func (r *reader) authorizerTypes() string {
	if r.kind == http {
		return "request or jwt"
	}
	return "token, request or cognito_user_pools"
}

func (r *reader) authorizerType(text string) (string, bool) {
	kind := strings.ToUpper(text)
	switch kind {
	case "REQUEST", authJWT:
		return kind, true
	case "TOKEN", authCognito:
		return kind, r.kind == rest
	}
	return "", false
}

// access gives what an operation asks for: what it says itself, else what the document says at its top.
func (r *reader) access(op *operation) access {
	security, auth := op.at.get("security"), op.at.get(extAuth)
	if security == nil && auth == nil {
		return r.rootAccess
	}
	return r.accessOf(security, auth)
}

// accessOf reads a security list and an auth extension; each may be nil.
func (r *reader) accessOf(security, auth *value) access {
	a := access{authType: authNone}
	if security == nil && auth == nil {
		if r.o.APIKeyRequired {
			a.apiKey, a.state = true, v1.AccessGuarded
		}
		return a
	}
	if security != nil {
		r.readSecurity(&a, security)
	}
	if auth != nil {
		r.readAuth(&a, auth)
	}
	switch {
	case a.apiKey || a.authType != authNone:
		a.state = v1.AccessGuarded
	case auth == nil && len(security.n.Items) > 0: // {} is easily written by mistake, and opens as much as []
		a.authType = anonymous
	default:
		a.state = v1.AccessOpen
	}
	return a
}

// readSecurity demands everything that a security list names.
func (r *reader) readSecurity(a *access, list *value) {
	if !list.is(doctree.Sequence) {
		r.wrongType(list, "a list of security requirements")
		a.demand(scheme{authType: unenforced, authorizer: "security"})
		return
	}
	named := 0
	for i := range list.n.Items {
		requirement := list.at(i)
		if !requirement.is(doctree.Mapping) {
			named++
			r.wrongType(requirement, "a mapping")
			a.demand(scheme{authType: unenforced, authorizer: "security"})
			continue
		}
		requirement.each(func(name string, scopes *value) {
			named++
			r.require(a, name, scopes)
		})
	}
	if len(list.n.Items) > 1 && named > 0 {
		r.warn(codeAlternatives, r.place(list), "leave one requirement in the list",
			"AWS knows no choice between security requirements; all of them are demanded together")
	}
}

func (r *reader) require(a *access, name string, scopes *value) {
	s, ok := r.schemes[name]
	if !ok {
		r.warn(codeUndefinedScheme, r.keyPlace(scopes), "define it under "+r.schemesKey(), "the security scheme %s is not defined", name)
		s = scheme{authType: unenforced, authorizer: name}
	}
	if s.apiKey && r.kind == http {
		r.warn(codeHTTPAPIKey, r.place(s.at), "make this a REST API: kind: rest",
			"HTTP APIs have no API keys, so AWS would leave what asks for one open")
	}
	if !a.demand(s) {
		r.fail(codeSeveralAuth, r.keyPlace(scopes), "leave one of them", "an operation can have one authorizer, and this asks for %s", a.authorizer)
	}
	if scopes.n.IsNull() || s.apiKey {
		return
	}
	for _, scope := range r.strings(scopes) {
		if !slices.Contains(a.scopes, scope) {
			a.scopes = append(a.scopes, scope)
		}
	}
}

func (r *reader) schemesKey() string {
	if r.swagger {
		return "securityDefinitions"
	}
	return "components.securitySchemes"
}

// demand adds what a scheme asks for. It is false when that is a second authorizer: then neither can be enforced.
func (a *access) demand(s scheme) bool {
	switch {
	case s.apiKey:
		a.apiKey = true
	case a.authType == authNone:
		a.authType, a.authorizer = s.authType, s.authorizer
	case a.authType != s.authType || a.authorizer != s.authorizer:
		a.authorizer = a.label() + ", " + s.label()
		a.authType = unenforced
		return false
	}
	return true
}

func (a *access) label() string { return label(a.authorizer, a.authType) }

func (s scheme) label() string { return label(s.authorizer, s.authType) }

func label(name, kind string) string {
	if name == "" {
		return kind
	}
	return name
}

// readAuth reads the older extension that names a type of authorization and nothing else.
func (r *reader) readAuth(a *access, v *value) {
	text, ok := "", v.is(doctree.Mapping)
	if ok {
		text, ok = r.text(v.get("type"))
	}
	kind := strings.ToUpper(text)
	switch {
	case !ok:
		r.wrongType(v, "a mapping with the key type")
		a.demand(scheme{authType: unenforced, authorizer: extAuth})
	case kind == authNone || kind == a.authType:
	case kind == authIAM:
		if !a.demand(scheme{authType: authIAM}) {
			r.fail(codeSeveralAuth, r.place(v), "leave one of them", "an operation can have one authorizer, and this asks for %s", a.authorizer)
		}
	default:
		if a.authType == authNone {
			a.demand(scheme{authType: unenforced, authorizer: text})
		}
	}
}
