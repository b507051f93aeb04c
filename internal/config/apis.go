package config

import (
	"slices"
	"strings"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/doctree"
	"gatehouse/internal/openapi"
)

// api is one API while it is read, and what the rest of the file may name of it.
type api struct {
	id      string
	node    *doctree.Node
	name    string
	kind    string
	backend string
	// The words and switches of the file; nil is unset.
	basePath, unserved string
	public, apiKey     bool
	disableEndpoint    *bool
	// stagesNode, routesNode and documentNode wait until the rest is known.
	stagesNode, routesNode, documentNode *doctree.Node

	// rest or http is set once the API could be read. Of an API that could not be, or only in part, nothing is said to be
	// unknown.
	rest      *v1.RestAPI
	http      *v2.API
	isPartial bool
	stages    []stage
	// routes are all route keys ("GET /pets/{id}"), routeKeys the same in order.
	routes    map[string]bool
	routeKeys []string
}

func (a *api) isRead() bool { return a.rest != nil || a.http != nil }

func (d *decoder) readAPIs(key string, n *doctree.Node) {
	d.each(key, n, func(name, value *doctree.Node) {
		if !isAPIID(name.Value) {
			d.fail(codeAPIID, name, "", "the name %s is not 1 to 64 lower-case letters, digits and hyphens", quote(name.Value))
		}
		a := &api{id: name.Value, node: name}
		d.apis[a.id] = a
		d.apiIDs = append(d.apiIDs, a.id)
		d.readAPI(a, value)
	})
}

func isAPIID(s string) bool { return consistsOf(s, "-", 64) && s == strings.ToLower(s) }

func (d *decoder) readAPI(a *api, n *doctree.Node) {
	ok := d.mapping("an API", n, []field{
		{"openapi", keep(&a.documentNode)},
		{"backend", func(d *decoder, key string, n *doctree.Node) { a.backend = d.backend(key, n, nil).Value }},
		{"routes", keep(&a.routesNode)},
		{"kind", choice(&a.kind, "rest", "http")},
		{"name", text(&a.name)},
		{"public", boolean(&a.public)},
		{"api_key", boolean(&a.apiKey)},
		{"unserved", choice(&a.unserved, "refuse", "answer")},
		{"base_path", choice(&a.basePath, "ignore", "prepend", "split")},
		{"disable_execute_api_endpoint", optional(&a.disableEndpoint)},
		{"stages", keep(&a.stagesNode)},
	})
	if !ok {
		return
	}
	if a.public && a.apiKey {
		d.fail(codeConflictingKeys, n.Key("public"), "keep one of the two", "an API cannot be public and ask for an API key")
	}
	switch {
	case a.routesNode != nil && a.documentNode != nil:
		d.fail(codeConflictingKeys, n.Key("routes"), "make two APIs of them", "an API has either openapi or routes, not both")
	case a.routesNode != nil:
		for _, key := range []string{"backend", "base_path"} {
			if n.Has(key) {
				d.fail(codeConflictingKeys, n.Key(key), "write the whole URL into each route", "%s goes with openapi, not with routes", key)
			}
		}
		d.readRoutes(a)
	case a.documentNode != nil:
		d.readDocument(a)
	default:
		d.fail(codeMissingKey, a.node, "name a document with openapi:, or write routes:", "the API %s has neither openapi nor routes", quote(a.id))
	}
	d.readStages(a)
	d.keepAPI(a)
}

// readDocument reads the OpenAPI document that an API names.
func (d *decoder) readDocument(a *api) {
	name, ok := d.scalar("openapi", a.documentNode, "the path of a document")
	if !ok {
		return
	}
	if strings.Contains(name, "://") {
		d.fail(codeUnreadableFile, a.documentNode, "save the document beside this file", "documents are read from files only")
		return
	}
	path := d.files.path(name)
	data, err := d.files.read(path, maxDocument)
	if err != nil {
		d.fail(codeUnreadableFile, a.documentNode, "the path is relative to the folder of this file", "the document %s cannot be read: %v",
			quote(a.documentNode.Value), err)
		return
	}
	d.document(a, path, data)
}

func (d *decoder) document(a *api, path string, data []byte) {
	read, diags := openapi.Read(path, data, openapi.Options{
		ID: a.id, Name: a.name, Kind: a.kind, Backend: a.backend, BasePath: a.basePath,
		Public: a.public, APIKeyRequired: a.apiKey, AnswerUnserved: a.unserved == "answer",
	})
	d.diags = append(d.diags, diags...)
	a.rest, a.http = read.REST, read.HTTP
	a.isPartial = diags.HasErrors()
}

// keepAPI puts a finished API into the file.
func (d *decoder) keepAPI(a *api) {
	switch {
	case a.rest != nil:
		if a.disableEndpoint != nil {
			a.rest.DisableExecuteAPIEndpoint = *a.disableEndpoint
		}
		for _, s := range a.stages {
			a.rest.Stages = append(a.rest.Stages, s.v1())
		}
		d.file.REST = append(d.file.REST, *a.rest)
	case a.http != nil:
		if a.disableEndpoint != nil {
			a.http.DisableExecuteAPIEndpoint = *a.disableEndpoint
		}
		for _, s := range a.stages {
			a.http.Stages = append(a.http.Stages, s.v2())
		}
		d.file.HTTP = append(d.file.HTTP, *a.http)
	}
}

// indexRoutes lists the route keys of an API that was read: of routes in the file also those with an error.
func (a *api) indexRoutes() {
	a.routes = map[string]bool{}
	add := func(key string) {
		if !a.routes[key] {
			a.routeKeys = append(a.routeKeys, key)
		}
		a.routes[key] = true
	}
	if a.routesNode != nil {
		for _, p := range a.routesNode.Pairs {
			add(p.Key.Value)
		}
		return
	}
	if a.rest != nil {
		for _, r := range a.rest.Resources {
			for _, m := range r.Methods {
				add(m.HTTPMethod + " " + r.Path)
			}
		}
	}
	if a.http != nil {
		for _, r := range a.http.Routes {
			add(r.RouteKey)
		}
	}
}

// route tells whether an API has a route key, and reports one that is unknown. Of an API that could not be read it
// has all.
func (d *decoder) route(a *api, key *doctree.Node) bool {
	if a.routes == nil {
		a.indexRoutes()
	}
	if !a.isRead() || a.isPartial || a.routes[key.Value] {
		return true
	}
	d.fail(codeUnknownMethod, key, didYouMean(key.Value, a.routeKeys), "the API %s has no %s", quote(a.id), quote(key.Value))
	return false
}

// settingKey is AWS's key for what is set for one method of a stage or plan: "/pets/{id}/GET".
func settingKey(routeKey string) string {
	method, path, ok := strings.Cut(routeKey, " ")
	if !ok {
		return routeKey
	}
	return path + "/" + method
}

// target finds the stage that "api/stage" names. Stage is empty when none is named and none is needed.
func (d *decoder) target(key string, n *doctree.Node, needStage bool) (a *api, stage string, ok bool) {
	s, ok := d.scalar(key, n, "api/stage")
	if !ok {
		return nil, "", false
	}
	id, stage, named := strings.Cut(s, "/")
	a = d.apis[id]
	switch {
	case a == nil:
		d.fail(codeUnknownAPI, n, didYouMean(id, d.apiIDs), "%s names an API that is not in this file", quote(n.Value))
	case !named && !needStage:
		return a, "", true
	case !named:
		d.fail(codeUnknownStage, n, "write it like "+quote(id+"/"+firstOr(a.stageNames(), "v1")), "%s names no stage", quote(n.Value))
	case !a.isRead(), slices.Contains(a.stageNames(), stage):
		return a, stage, true
	default:
		d.fail(codeUnknownStage, n, didYouMean(stage, a.stageNames()), "%s names a stage that the API does not have", quote(n.Value))
	}
	return nil, "", false
}

func firstOr(list []string, other string) string {
	if len(list) > 0 {
		return list[0]
	}
	return other
}

// checkAPIs says which APIs cannot be reached, and maps the only one.
func (d *decoder) checkAPIs(root *doctree.Node) {
	switch {
	case !root.Has("apis"):
		d.warn(codeNoAPIs, root, "add it under apis:", "the file defines no API, so every request is refused")
	case root.Has("domains"):
	case len(d.apiIDs) == 1 && len(d.apis[d.apiIDs[0]].stages) == 1:
		a := d.apis[d.apiIDs[0]]
		if !a.isRead() {
			return
		}
		d.file.Mappings = []definition.Mapping{{Host: "*", BasePath: "/", API: a.id, Stage: a.stages[0].name, Place: d.at(a.node)}}
	case len(d.apiIDs) > 0:
		d.warn(codeUnmapped, root.Key("apis"), `add domains: {"*": {/shop: shop/v1}}`,
			"without domains the APIs are reached at /_aws/execute-api/{api}/{stage}/ only")
	default:
		d.warn(codeNoAPIs, root.Key("apis"), "", "the file defines no API, so every request is refused")
	}
}
