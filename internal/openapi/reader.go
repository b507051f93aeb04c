package openapi

import (
	"strconv"
	"strings"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/doctree"
)

// kind is the family of the API that comes out.
type kind uint8

const (
	rest kind = iota
	http
)

// reader reads one document. It belongs to one call of Read.
type reader struct {
	file  string
	o     Options
	root  *value
	diags definition.Diagnostics

	swagger bool // Swagger 2.0, else OpenAPI 3
	kind    kind
	refs    references
	uris    *strings.Replacer

	operations  []*operation
	models      map[string]v1.Model
	inline      map[*doctree.Node]string // names of the models of schemas written in place
	validators  map[string]v1.RequestValidator
	validator   string // the one that holds where an operation names none
	schemes     map[string]scheme
	authorizers map[string]v1.Authorizer
	rootAccess  access
	cfnSeen     bool
	guesses     int
}

func newReader(file string, root *doctree.Node, o Options) *reader {
	return &reader{
		file: file, o: o, root: &value{n: root},
		refs: newReferences(root), inline: map[*doctree.Node]string{},
		// AWS: these three are replaced in the whole document; other text of a document stays as it is here.
		uris: strings.NewReplacer("${AWS::Region}", "us-east-1", "${AWS::Partition}", "aws", "${AWS::AccountId}", "000000000000"),
	}
}

func (r *reader) read() API {
	if !r.root.is(doctree.Mapping) || !IsDocument(r.root.n) {
		r.fail(codeNotOpenAPI, r.place(r.root), "the document needs the keys openapi (or swagger), info and paths",
			"this is not an OpenAPI document")
		return API{}
	}
	r.duplicates()
	if !r.readVersion() {
		return API{}
	}
	r.checkOptions()
	r.collect()
	r.chooseKind()
	r.checkExtensions()
	r.readSchemes()
	r.rootAccess = r.accessOf(r.root.get("security"), r.root.get(extAuth))
	if r.kind == http {
		return API{HTTP: r.httpAPI()}
	}
	return API{REST: r.restAPI()}
}

func (r *reader) duplicates() {
	for _, d := range doctree.Duplicates(r.root.n) {
		at := definition.Place{File: r.file, Line: d.Again.Line, Column: d.Again.Column}
		r.warn(codeDuplicateKey, at, "remove one of the two", "the key %q stands on line %d already, and this one replaces it",
			d.Key, d.First.Line)
	}
}

// readVersion reports whether the document can be read.
func (r *reader) readVersion() bool {
	v, key := r.root.get("openapi"), "openapi"
	if v == nil {
		v, key = r.root.get("swagger"), "swagger"
	}
	if v == nil {
		r.swagger = true
		r.warn(codeNoVersion, r.place(r.root), `add swagger: "2.0" or openapi: "3.0.1"`,
			"the document does not say which version of OpenAPI it is, so it is read as Swagger 2.0")
		return true
	}
	text, _ := v.n.Text()
	major, _, _ := strings.Cut(text, ".")
	switch {
	case key == "swagger" && (text == "2.0" || text == "2"):
		r.swagger = true
	case key == "openapi" && major == "3" && isVersion(text, "3.0"):
	case key == "openapi" && isVersion(text, "3.1"):
		r.warn(codeOpenAPI31, r.place(v), "write 3.0.3 if the document should go to AWS too",
			"AWS refuses OpenAPI %s; Gatehouse reads it", text)
	default:
		r.fail(codeVersion, r.place(v), `use swagger: "2.0" or openapi: "3.0.x"`, "%s %q is not a version that can be read", key, text)
		return false
	}
	return true
}

// isVersion tells whether text is the version or one of its patches: 3.0, 3.0.1, but not 3.00.
func isVersion(text, version string) bool {
	rest, ok := strings.CutPrefix(text, version)
	return ok && (rest == "" || rest[0] == '.')
}

func (r *reader) checkOptions() {
	if k := r.o.Kind; k != "" && k != "rest" && k != "http" {
		r.fail(codeOption, r.place(r.root), "use rest or http, or leave it out", "%q is not a kind of API", k)
	}
	switch b := r.o.BasePath; b {
	case "", "ignore", "prepend", "split":
	default:
		r.fail(codeOption, r.place(r.root), "use ignore, prepend or split", "%q is not a way to treat a base path", b)
	}
}

func (r *reader) restAPI() *v1.RestAPI {
	api := &v1.RestAPI{
		ID: r.o.ID, Name: r.name(), Description: r.info("description"), Version: r.info("version"),
		Public: r.o.Public, AnswerUnserved: r.o.AnswerUnserved, Place: r.place(r.root),
		GatewayResponses: map[string]v1.GatewayResponse{}, Kept: r.keptExtensions(), Authorizers: r.authorizers,
	}
	r.readModels()
	r.readValidators()
	r.restExtensions(api)
	api.Resources = r.resources()
	api.Models = r.models
	api.RequestValidators = r.validators
	return api
}

func (r *reader) httpAPI() *v2.API {
	api := &v2.API{
		ID: r.o.ID, Name: r.name(), Description: r.info("description"), Version: r.info("version"),
		Public: r.o.Public, AnswerUnserved: r.o.AnswerUnserved, Place: r.place(r.root),
		Kept: r.keptExtensions(), Authorizers: r.authorizers,
	}
	if cors := r.root.get(extCORS); cors != nil && r.mapping(cors) {
		api.CorsConfiguration, api.CorsPlace = cors.n.JSON(), r.place(cors)
	}
	api.DisableExecuteAPIEndpoint = r.executeAPIDisabled()
	api.Routes = r.routes()
	return api
}

func (r *reader) name() string {
	if r.o.Name != "" {
		return r.o.Name
	}
	title := r.info("title")
	if title == "" {
		r.warn(codeNoTitle, r.place(r.root), "add info.title", "the API has no title, which AWS demands")
	}
	return title
}

func (r *reader) info(key string) string {
	if v := r.root.get("info").get(key); v != nil {
		text, _ := r.text(v)
		return text
	}
	return ""
}

func (r *reader) fail(code string, at definition.Place, hint, format string, args ...any) {
	r.diags.Add(definition.Error, code, at, hint, format, args...)
}

func (r *reader) warn(code string, at definition.Place, hint, format string, args ...any) {
	r.diags.Add(definition.Warning, code, at, hint, format, args...)
}

func (r *reader) tell(code string, at definition.Place, hint, format string, args ...any) {
	r.diags.Add(definition.Info, code, at, hint, format, args...)
}

func itoa(i int) string { return strconv.Itoa(i) }
