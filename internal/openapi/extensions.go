package openapi

import (
	"encoding/json"
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/fault"
	"gatehouse/internal/lib/doctree"
)

// prefix begins the name of every extension of API Gateway.
const prefix = "x-amazon-apigateway-"

// The extensions.
const (
	extAnyMethod         = prefix + "any-method"
	extAPIKeySource      = prefix + "api-key-source"
	extAuth              = prefix + "auth"
	extAuthorizer        = prefix + "authorizer"
	extAuthtype          = prefix + "authtype"
	extBinaryMediaTypes  = prefix + "binary-media-types"
	extCORS              = prefix + "cors"
	extDocumentation     = prefix + "documentation"
	extAccessMode        = prefix + "endpoint-access-mode"
	extEndpoint          = prefix + "endpoint-configuration"
	extGatewayResponses  = prefix + "gateway-responses"
	extImportExport      = prefix + "importexport-version"
	extIntegration       = prefix + "integration"
	extIntegrations      = prefix + "integrations"
	extMinCompression    = prefix + "minimum-compression-size"
	extPolicy            = prefix + "policy"
	extRequestValidator  = prefix + "request-validator"
	extRequestValidators = prefix + "request-validators"
	extSecurityPolicy    = prefix + "security-policy"
	extTagValue          = prefix + "tag-value"
)

// spot is a kind of place in a document where extensions may stand.
type spot uint16

const (
	atRoot spot = 1 << iota
	atInfo
	atServer
	atTag
	atPaths
	atPath
	atOperation
	atScheme
	atComponents
	atElsewhere
)

// spotsOf says where an extension has an effect; 0 is an unknown one.
func spotsOf(name string) spot {
	switch name {
	case extAnyMethod:
		return atPath
	case extAuth, extRequestValidator:
		return atRoot | atOperation
	case extIntegration:
		return atOperation
	case extAuthorizer, extAuthtype:
		return atScheme
	case extIntegrations:
		return atComponents
	case extTagValue:
		return atTag
	case extImportExport:
		return atRoot | atInfo
	case extEndpoint, extAccessMode, extSecurityPolicy:
		return atRoot | atServer
	case extAPIKeySource, extBinaryMediaTypes, extCORS, extDocumentation, extGatewayResponses, extMinCompression, extPolicy,
		extRequestValidators:
		return atRoot
	default:
		return 0
	}
}

// extensionNames is every extension, for the nearest to an unknown one.
func extensionNames() []string {
	return []string{
		extAnyMethod, extAPIKeySource, extAuth, extAuthorizer, extAuthtype, extBinaryMediaTypes, extCORS,
		extDocumentation, extAccessMode, extEndpoint, extGatewayResponses, extImportExport, extIntegration, extIntegrations,
		extMinCompression, extPolicy, extRequestValidator, extRequestValidators, extSecurityPolicy, extTagValue,
	}
}

// checkExtensions reports extensions that are unknown or without effect where they stand, in all places where OpenAPI
// has extensions but schemas and examples.
func (r *reader) checkExtensions() {
	r.checkNames(r.root, atRoot)
	r.checkNames(r.root.get("info"), atInfo)
	r.checkNames(r.root.get("paths"), atPaths)
	r.checkNames(r.root.get("components"), atComponents)
	for _, s := range r.servers() {
		r.checkNames(s, atServer)
	}
	r.checkItems(r.root.get("tags"), atTag)
	r.schemeRoot().each(func(_ string, s *value) { r.checkNames(s, atScheme) })
	r.root.get("paths").each(func(_ string, p *value) {
		r.checkNames(p, atPath)
		r.checkItems(p.get("parameters"), atElsewhere)
	})
	for _, op := range r.operations {
		r.checkNames(op.at, atOperation)
		r.checkItems(op.at.get("parameters"), atElsewhere)
		op.at.get("responses").each(func(_ string, s *value) { r.checkNames(s, atElsewhere) })
	}
}

func (r *reader) checkItems(list *value, where spot) {
	if list.is(doctree.Sequence) {
		for i := range list.n.Items {
			r.checkNames(list.at(i), where)
		}
	}
}

func (r *reader) checkNames(v *value, where spot) {
	if v == nil {
		return
	}
	for _, p := range v.n.Pairs {
		name := p.Key.Value
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		entry := &value{n: p.Value, key: p.Key, up: v, token: name}
		switch allowed := spotsOf(name); {
		case allowed == 0:
			r.warn(codeUnknownExtension, r.keyPlace(entry), r.didYouMean(name, extensionNames()),
				"API Gateway has no extension %s", name)
		case allowed&where == 0:
			r.warn(codeMisplaced, r.keyPlace(entry), "it belongs "+allowed.String(), "%s has no effect here", name)
		}
	}
}

// String says in words where an extension belongs.
func (s spot) String() string {
	switch {
	case s&atOperation != 0 && s&atRoot != 0:
		return "at the top of the document or in an operation"
	case s&atOperation != 0:
		return "in an operation"
	case s&atRoot != 0:
		return "at the top of the document"
	case s&atPath != 0:
		return "directly under a path"
	case s&atScheme != 0:
		return "in a security scheme"
	case s&atComponents != 0:
		return "in components"
	default:
		return "in an entry of tags"
	}
}

// keptExtensions gives the extensions of the whole API that have no field of their own in this kind of API.
func (r *reader) keptExtensions() map[string]v1.Kept {
	kept := map[string]v1.Kept{}
	add := func(v *value) {
		if v != nil {
			kept[v.token] = r.kept(v)
		}
	}
	always := []string{extDocumentation, extImportExport}
	ignored := []string{
		extAPIKeySource, extBinaryMediaTypes, extGatewayResponses, extMinCompression, extPolicy,
		extRequestValidator, extRequestValidators,
	}
	if r.kind == rest {
		ignored = []string{extCORS}
	}
	for _, name := range always {
		add(r.root.get(name))
	}
	add(r.root.get("info").get(extImportExport))
	add(r.root.get("components").get(extIntegrations))
	for _, name := range ignored {
		if v := r.root.get(name); v != nil {
			r.notForKind(v)
			add(v)
		}
	}
	for _, s := range append(r.servers(), r.root) {
		add(s.get(extSecurityPolicy))
		add(s.get(extAccessMode))
		// Of several the first, or one that makes the API private.
		if v := s.get(extEndpoint); hasMore(v, disableEndpoint) && (kept[extEndpoint].Value == nil || makesPrivate(v)) {
			add(v)
		}
	}
	r.keepTags(kept)
	r.keepUnknown(r.root, kept)
	return kept
}

// disableEndpoint is the key of the endpoint configuration that has a field of its own.
const disableEndpoint = "disableExecuteApiEndpoint"

// hasMore tells whether a mapping has keys beside one.
func hasMore(v *value, key string) bool {
	if v == nil {
		return false
	}
	return len(v.n.Pairs) > 1 || !v.n.Has(key)
}

// makesPrivate tells whether an endpoint configuration speaks of VPC endpoints.
func makesPrivate(v *value) bool {
	ids, types := v.get("vpcEndpointIds"), v.get("types")
	empty := ids == nil || ids.is(doctree.Sequence) && len(ids.n.Items) == 0
	return !empty || types.is(doctree.Sequence) && slices.ContainsFunc(types.n.Items, func(n *doctree.Node) bool { return n.Value == "PRIVATE" })
}

// keepTags collects the values of tags into one mapping by the tags' names.
func (r *reader) keepTags(kept map[string]v1.Kept) {
	tags, values := r.root.get("tags"), map[string]string{}
	if !tags.is(doctree.Sequence) {
		return
	}
	for i := range tags.n.Items {
		tag := tags.at(i)
		name, _ := r.text(tag.get("name"))
		if v := tag.get(extTagValue); v != nil {
			values[name], _ = r.text(v)
		}
	}
	if len(values) > 0 {
		text, _ := json.Marshal(values) //nolint:errchkjson // strings always encode
		kept[extTagValue] = v1.Kept{Value: text, Place: r.place(tags)}
	}
}

// keepUnknown keeps the unknown and misplaced extensions, which are reported elsewhere.
func (r *reader) keepUnknown(v *value, kept map[string]v1.Kept) {
	v.each(func(name string, c *value) {
		if _, have := kept[name]; !have && strings.HasPrefix(name, prefix) && spotsOf(name)&atRoot == 0 {
			kept[name] = r.kept(c)
		}
	})
}

func (r *reader) notForKind(v *value) {
	if r.kind == http {
		r.warn(codeNotForKind, r.keyPlace(v), "remove it, or make this a REST API", "%s has no effect in an HTTP API", v.token)
		return
	}
	r.warn(codeNotForKind, r.keyPlace(v), "remove it, or make this an HTTP API", "%s has no effect in a REST API", v.token)
}

// executeAPIDisabled reads the endpoint configuration at the top (Swagger 2.0) or in a server (OpenAPI 3).
func (r *reader) executeAPIDisabled() bool {
	disabled := r.bool(r.root.get(extEndpoint).get(disableEndpoint))
	for _, s := range r.servers() {
		disabled = r.bool(s.get(extEndpoint).get(disableEndpoint)) || disabled
	}
	return disabled
}

// restExtensions fills what only REST APIs have.
func (r *reader) restExtensions(api *v1.RestAPI) {
	api.DisableExecuteAPIEndpoint = r.executeAPIDisabled()
	api.BinaryMediaTypes = r.strings(r.root.get(extBinaryMediaTypes))
	if v := r.root.get(extAPIKeySource); v != nil {
		api.APIKeySource = r.enum(v, "HEADER", "AUTHORIZER")
	}
	if v := r.root.get(extMinCompression); v != nil {
		if n, ok := r.int(v); ok {
			api.MinimumCompressionSize = &n
		}
	}
	if v := r.root.get(extPolicy); v != nil {
		api.Policy = r.policy(v)
	}
	if v := r.root.get(extGatewayResponses); v != nil && r.mapping(v) {
		v.each(func(name string, c *value) {
			if g, ok := r.gatewayResponse(name, c); ok {
				api.GatewayResponses[name] = g
			}
		})
	}
}

// policy takes the policy itself or its JSON in a string.
func (r *reader) policy(v *value) json.RawMessage {
	if text, ok := v.n.String(); ok && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	if _, isCFN := cfnText(v.n); !isCFN && !r.mapping(v) {
		return nil
	}
	return v.n.JSON()
}

func (r *reader) gatewayResponse(name string, v *value) (v1.GatewayResponse, bool) {
	if _, ok := fault.KindOf(name); !ok {
		names := make([]string, 0, fault.Kinds)
		for k := range fault.Kinds {
			names = append(names, k.String())
		}
		r.fail(codeGatewayResponse, r.keyPlace(v), r.didYouMean(name, names), "there is no gateway response %s", name)
		return v1.GatewayResponse{}, false
	}
	g := v1.GatewayResponse{ResponseType: name, Place: r.place(v)}
	if v.n.IsNull() {
		return g, true
	}
	if !r.mapping(v) {
		return g, false
	}
	v.each(func(key string, c *value) {
		switch {
		case c.n.IsNull():
		case key == "statusCode":
			g.StatusCode = r.statusCode(c)
		case key == "responseParameters":
			g.ResponseParameters = r.texts(c, true)
		case key == "responseTemplates":
			g.ResponseTemplates = r.texts(c, false)
		default:
			r.unknownKey(c, "statusCode", "responseParameters", "responseTemplates")
		}
	})
	return g, true
}

// statusCode reads a number of three digits, in quotes or not.
func (r *reader) statusCode(v *value) string {
	s, ok := r.text(v)
	if ok && !isStatus(s) {
		r.fail(codeBadValue, r.place(v), "use a number from 100 to 599", "%q is not a status code", s)
		return ""
	}
	return s
}

func isStatus(s string) bool {
	return len(s) == 3 && s[0] >= '1' && s[0] <= '5' && s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9'
}

func (r *reader) unknownKey(v *value, known ...string) {
	r.warn(codeUnknownKey, r.keyPlace(v), r.didYouMean(v.token, known), "%s is not a key that API Gateway knows here", v.token)
}
