package openapi_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/openapi"
)

// dumper writes a definition as indented lines, without empty fields.
type dumper struct{ b strings.Builder }

func (d *dumper) line(depth int, format string, args ...any) {
	d.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&d.b, format, args...)
	d.b.WriteByte('\n')
}

func (d *dumper) field(depth int, name string, v any) {
	if s := fmt.Sprint(v); s != "" && s != "0" && s != "false" && s != "[]" && s != "map[]" {
		d.line(depth, "%s: %s", name, strings.ReplaceAll(s, "\n", `\n`))
	}
}

func each[V any](m map[string]V, f func(string, V)) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		f(k, m[k])
	}
}

func (d *dumper) texts(depth int, name string, m map[string]v1.Text) {
	each(m, func(k string, t v1.Text) {
		d.line(depth, "%s %s = %s (%s)", name, k, strings.ReplaceAll(t.Value, "\n", `\n`), t.Place)
	})
}

func (d *dumper) kept(depth int, m map[string]v1.Kept) {
	each(m, func(k string, v v1.Kept) { d.line(depth, "kept %s = %s (%s)", k, v.Value, v.Place) })
}

func dump(api openapi.API) string {
	d := &dumper{}
	if api.REST != nil {
		d.rest(api.REST)
	}
	if api.HTTP != nil {
		d.http(api.HTTP)
	}
	return d.b.String()
}

func (d *dumper) rest(a *v1.RestAPI) {
	d.line(0, "REST API")
	d.field(1, "id", a.ID)
	d.field(1, "name", a.Name)
	d.field(1, "description", a.Description)
	d.field(1, "version", a.Version)
	d.field(1, "api key source", a.APIKeySource)
	d.field(1, "binary media types", a.BinaryMediaTypes)
	if a.MinimumCompressionSize != nil {
		d.line(1, "minimum compression size: %d", *a.MinimumCompressionSize)
	}
	d.field(1, "execute-api endpoint disabled", a.DisableExecuteAPIEndpoint)
	d.field(1, "policy", string(a.Policy))
	d.field(1, "public", a.Public)
	each(a.Models, func(k string, m v1.Model) { d.line(1, "model %s %s = %s", k, m.ContentType, m.Schema) })
	each(a.RequestValidators, func(k string, v v1.RequestValidator) {
		d.line(1, "validator %s body=%t parameters=%t", k, v.ValidateRequestBody, v.ValidateRequestParameters)
	})
	d.authorizers(a.Authorizers)
	each(a.GatewayResponses, func(k string, g v1.GatewayResponse) {
		d.line(1, "gateway response %s %s", k, g.StatusCode)
		d.texts(2, "parameter", g.ResponseParameters)
		d.texts(2, "template", g.ResponseTemplates)
	})
	d.kept(1, a.Kept)
	for _, res := range a.Resources {
		for _, m := range res.Methods {
			d.line(1, "%s %s (%s %s)", m.HTTPMethod, res.Path, m.Place, m.Place.Pointer)
			d.method(m)
		}
	}
}

func (d *dumper) authorizers(m map[string]v1.Authorizer) {
	each(m, func(k string, a v1.Authorizer) { d.line(1, "authorizer %s %s %s", k, a.Type, a.Definition) })
}

func accessWord(a v1.Access) string { return [...]string{"unstated", "open", "guarded"}[a] }

func (d *dumper) method(m v1.Method) {
	d.line(2, "access: %s %s %s%v key=%t", accessWord(m.Access), m.AuthorizationType, m.Authorizer, m.AuthorizationScopes, m.APIKeyRequired)
	d.field(2, "operation", m.OperationName)
	d.field(2, "validator", m.RequestValidator)
	d.field(2, "parameters", m.RequestParameters)
	d.field(2, "models", m.RequestModels)
	each(m.Responses, func(k string, r v1.MethodResponse) {
		d.line(2, "response %s %v %v", k, r.ResponseParameters, r.ResponseModels)
	})
	d.kept(2, m.Kept)
	in := m.Integration
	if in == nil {
		return
	}
	d.line(2, "integration %s %s %s", in.Type, in.HTTPMethod, in.URI.Value)
	d.field(3, "connection", strings.TrimSpace(in.ConnectionType+" "+in.ConnectionID+" "+in.IntegrationTarget))
	d.field(3, "credentials", in.Credentials)
	d.field(3, "passthrough", in.PassthroughBehavior)
	d.field(3, "content handling", in.ContentHandling)
	d.field(3, "timeout", in.TimeoutInMillis)
	d.field(3, "cache", strings.TrimSpace(in.CacheNamespace+" "+strings.Join(in.CacheKeyParameters, " ")))
	d.field(3, "insecure", in.InsecureSkipVerification)
	d.field(3, "transfer", in.ResponseTransferMode)
	d.texts(3, "parameter", in.RequestParameters)
	d.texts(3, "template", in.RequestTemplates)
	for _, r := range in.Responses {
		d.line(3, "response %q %s %s", r.SelectionPattern, r.StatusCode, r.ContentHandling)
		d.texts(4, "parameter", r.ResponseParameters)
		d.texts(4, "template", r.ResponseTemplates)
	}
	d.kept(3, in.Kept)
}

func (d *dumper) http(a *v2.API) {
	d.line(0, "HTTP API")
	d.field(1, "id", a.ID)
	d.field(1, "name", a.Name)
	d.field(1, "description", a.Description)
	d.field(1, "version", a.Version)
	d.field(1, "execute-api endpoint disabled", a.DisableExecuteAPIEndpoint)
	d.field(1, "cors", string(a.CorsConfiguration))
	d.authorizers(a.Authorizers)
	d.kept(1, a.Kept)
	for _, r := range a.Routes {
		d.line(1, "%s (%s %s)", r.RouteKey, r.Place, r.Place.Pointer)
		d.line(2, "access: %s %s %s%v key=%t", accessWord(r.Access), r.AuthorizationType, r.Authorizer, r.AuthorizationScopes, r.APIKeyRequired)
		d.field(2, "operation", r.OperationName)
		d.kept(2, r.Kept)
		if r.Integration != nil {
			d.httpIntegration(r.Integration)
		}
	}
}

func (d *dumper) httpIntegration(in *v2.Integration) {
	d.line(2, "integration %s", strings.Join(strings.Fields(in.Type+" "+in.Subtype+" "+in.Method+" "+in.URI.Value), " "))
	d.field(3, "connection", strings.TrimSpace(in.ConnectionType+" "+in.ConnectionID))
	d.field(3, "credentials", in.Credentials)
	d.field(3, "payload", in.PayloadFormatVersion)
	d.field(3, "timeout", in.TimeoutInMillis)
	d.field(3, "server name", in.ServerNameToVerify)
	d.field(3, "insecure", in.InsecureSkipVerification)
	d.texts(3, "parameter", in.RequestParameters)
	each(in.ResponseParameters, func(k string, m map[string]v1.Text) { d.texts(3, "response "+k, m) })
	d.kept(3, in.Kept)
}
