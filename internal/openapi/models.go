package openapi

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/lib/doctree"
)

const (
	jsonType       = "application/json"
	swaggerModels  = "#/definitions/"
	openAPIModels  = "#/components/schemas/"
	inlinePrefix   = "MODEL"
	inlineNameSize = 8 // bytes of the hash
)

// readModels keeps the document's schemas under their names, as JSON.
func (r *reader) readModels() {
	r.models = map[string]v1.Model{}
	schemas := r.root.get("components").get("schemas")
	if r.swagger {
		schemas = r.root.get("definitions")
	}
	schemas.each(func(name string, v *value) {
		r.checkRefs(v, v.n)
		r.models[name] = v1.Model{Name: name, ContentType: jsonType, Schema: v.n.JSON(), Place: r.place(v)}
	})
}

// model gives the name of the model for a schema. A schema written in place becomes a model named after its content.
// AWS: such models get random names there.
func (r *reader) model(schema *value) (string, bool) {
	if schema == nil || !r.mapping(schema) {
		return "", false
	}
	ref, ok := refOf(schema)
	if !ok {
		return r.inlineModel(schema), true
	}
	if strings.HasPrefix(ref, modelURL) {
		return ref[strings.LastIndexByte(ref, '/')+1:], true
	}
	target := r.target(schema.get("$ref"), ref)
	if target == nil {
		return "", false
	}
	models := openAPIModels
	if r.swagger {
		models = swaggerModels
	}
	if name, ok := strings.CutPrefix(ref, models); ok && !strings.Contains(name, "/") {
		return target.token, true
	}
	return r.inlineModel(target), true
}

func (r *reader) inlineModel(schema *value) string {
	if name, ok := r.inline[schema.n]; ok {
		return name
	}
	r.checkRefs(schema, schema.n)
	text := schema.n.JSON()
	sum := sha256.Sum256(text)
	name := inlinePrefix + hex.EncodeToString(sum[:inlineNameSize])
	r.inline[schema.n] = name
	if _, have := r.models[name]; !have {
		r.models[name] = v1.Model{Name: name, ContentType: jsonType, Schema: text, Place: r.place(schema)}
	}
	return name
}

// requestModels gives an operation's models by media type.
func (r *reader) requestModels(op *operation, params []parameter) map[string]string {
	models := map[string]string{}
	if !r.swagger {
		if body := r.resolve(op.at.get("requestBody")); body != nil && r.mapping(body) {
			r.contentModels(models, body.get("content"))
		}
		return models
	}
	for _, p := range params {
		if p.in != "body" {
			continue
		}
		if name, ok := r.model(p.at.get("schema")); ok {
			for _, media := range r.mediaTypes(op, "consumes") {
				models[media] = name
			}
		}
	}
	return models
}

func (r *reader) contentModels(models map[string]string, content *value) {
	if content == nil || !r.mapping(content) {
		return
	}
	content.each(func(media string, c *value) {
		if name, ok := r.model(c.get("schema")); ok {
			models[media] = name
		}
	})
}

// mediaTypes reads consumes or produces of Swagger 2.0.
func (r *reader) mediaTypes(op *operation, key string) []string {
	v := op.at.get(key)
	if v == nil {
		v = r.root.get(key)
	}
	if list := r.strings(v); len(list) > 0 {
		return list
	}
	return []string{jsonType}
}

// methodResponses reads what an operation declares to answer. The response "default" has no status code and is no
// method response.
func (r *reader) methodResponses(op *operation) map[string]v1.MethodResponse {
	out := map[string]v1.MethodResponse{}
	list := op.at.get("responses")
	if list == nil || !r.mapping(list) {
		return out
	}
	list.each(func(status string, v *value) {
		if status == "default" || strings.HasPrefix(status, "x-") || v.n.IsNull() {
			return
		}
		if !isStatus(status) {
			r.warn(codeResponseStatus, r.keyPlace(v), "name each status code", "%q is not a status code, so this response is left out", status)
			return
		}
		if at := r.resolve(v); at != nil && r.mapping(at) {
			out[status] = r.methodResponse(op, at)
		}
	})
	return out
}

func (r *reader) methodResponse(op *operation, v *value) v1.MethodResponse {
	var m v1.MethodResponse
	if headers := v.get("headers"); headers.is(doctree.Mapping) {
		m.ResponseParameters = make(map[string]bool, len(headers.n.Pairs))
		headers.each(func(name string, _ *value) { m.ResponseParameters["method.response.header."+name] = false })
	}
	m.ResponseModels = map[string]string{}
	if !r.swagger {
		r.contentModels(m.ResponseModels, v.get("content"))
		return m
	}
	if name, ok := r.model(v.get("schema")); ok {
		for _, media := range r.mediaTypes(op, "produces") {
			m.ResponseModels[media] = name
		}
	}
	return m
}

// readValidators reads the request validators and the one for all operations.
func (r *reader) readValidators() {
	r.validators = map[string]v1.RequestValidator{}
	if list := r.root.get(extRequestValidators); list != nil && r.mapping(list) {
		list.each(func(name string, v *value) {
			if !r.mapping(v) {
				return
			}
			r.validators[name] = v1.RequestValidator{
				Name:                      name,
				ValidateRequestBody:       r.bool(v.get("validateRequestBody")),
				ValidateRequestParameters: r.bool(v.get("validateRequestParameters")),
				Place:                     r.place(v),
			}
		})
	}
	r.validator = r.validatorName(r.root.get(extRequestValidator))
}

func (r *reader) validatorName(v *value) string {
	name, ok := r.text(v)
	if !ok {
		return ""
	}
	if _, known := r.validators[name]; !known {
		r.fail(codeValidator, r.place(v), "define it under "+extRequestValidators, "the request validator %q is not defined", name)
		return ""
	}
	return name
}
