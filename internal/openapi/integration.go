package openapi

import (
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
)

// integrationKeys is every key of an integration, whatever the kind of API.
func integrationKeys() []string {
	return []string{
		"cacheKeyParameters", "cacheNamespace", "connectionId", "connectionType", "contentHandling", "credentials",
		"httpMethod", "integrationSubtype", "integrationTarget", "passthroughBehavior", "payloadFormatVersion",
		"requestParameters", "requestTemplates", "responses", "responseParameters", "responseTransferMode", "timeoutInMillis",
		"tlsConfig", "type", "uri",
	}
}

// otherField keeps a key that this kind of integration has no field for, and says so.
func (r *reader) otherField(kept *map[string]v1.Kept, key string, v *value) {
	keep(kept, key, r.kept(v))
	switch known := integrationKeys(); {
	case strings.HasPrefix(key, "x-gatehouse-"): // an extension of ours, kept for whoever knows it
	case !slices.Contains(known, key):
		r.unknownKey(v, known...)
	case key == "payloadFormatVersion" && v.n.Value == "1.0": // what REST APIs have anyway
	default:
		r.notForKind(v)
	}
}

// integrationType reads a type in any case; types is the list for a person of those that this kind of API has.
func (r *reader) integrationType(v *value, types string) string {
	text, ok := r.text(v)
	if !ok {
		return ""
	}
	t := strings.ToUpper(text)
	switch t {
	case "HTTP_PROXY", "AWS_PROXY":
		return t
	case "HTTP", "AWS", "MOCK":
		if r.kind == rest {
			return t
		}
	}
	r.fail(codeIntegrationType, r.place(v), "use "+types, "an integration here cannot have the type %q", text)
	return ""
}

func (r *reader) upper(v *value) string {
	s, _ := r.text(v)
	return strings.ToUpper(s)
}

// uri reads a URI and fills in what CloudFormation would: a place for a deployment that there is here only one of.
func (r *reader) uri(v *value) v1.Text {
	t := r.placed(v)
	if strings.Contains(t.Value, "${AWS::") {
		t.Value = r.uris.Replace(t.Value)
	}
	return t
}
