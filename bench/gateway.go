package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// gateway is one Gatehouse to run: the files it is given and the addresses it will have.
type gateway struct {
	name       string
	dir        string
	addr       string
	management string
	backend    string
	routes     int
	keys       int    // 0: a public API without keys, plan or access log
	basePath   string // a second base path of the API; "": none
}

// newGateway reserves what a gateway needs. Its files are not written yet.
func (l *lab) newGateway(name string, routes, keys int) (*gateway, error) {
	addr, err := l.freeAddr()
	if err != nil {
		return nil, err
	}
	management, err := l.freeAddr()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(l.dir, name)
	g := &gateway{
		name: name, dir: dir, addr: addr, management: management, backend: "http://" + l.backendAddr,
		routes: routes, keys: keys,
	}
	return g, os.MkdirAll(dir, 0o755)
}

func (g *gateway) file() string { return filepath.Join(g.dir, "gatehouse.yaml") }
func (g *gateway) data() string { return filepath.Join(g.dir, "data") }

// accessLog is the file of access log lines; empty when the log is off.
func (g *gateway) accessLog() string {
	if g.keys == 0 {
		return ""
	}
	return filepath.Join(g.dir, "access.log")
}

// write writes the gateway's files.
func (g *gateway) write() error {
	if g.keys > 0 {
		document, err := openAPI(g.routes, g.backend)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(g.dir, "bench.json"), document, 0o644); err != nil {
			return err
		}
	}
	return g.writeConfig()
}

// writeConfig writes gatehouse.yaml alone, in one step, so that a running gateway never reads half of it.
func (g *gateway) writeConfig() error {
	next := g.file() + ".next"
	if err := os.WriteFile(next, []byte(g.config()), 0o644); err != nil {
		return err
	}
	return os.Rename(next, g.file())
}

// config is the text of gatehouse.yaml. Every limit is there and is counted, and none is ever reached.
func (g *gateway) config() string {
	var y strings.Builder
	fmt.Fprintf(&y, "listen: {http: %q}\nmanagement: {listen: %q}\ndata: %q\n", g.addr, g.management, g.data())
	log := g.accessLog()
	if log == "" {
		log = "off"
	}
	fmt.Fprintf(&y, "log: {access: {file: %q}}\napis:\n  bench:\n", log)
	if g.keys > 0 {
		fmt.Fprint(&y, "    openapi: bench.json\n")
	} else {
		fmt.Fprint(&y, "    public: true\n    kind: rest\n    routes:\n")
		for i := range g.routes {
			fmt.Fprintf(&y, "      %q: %q\n", "GET "+routePath(i), g.backend+routePath(i))
		}
	}
	fmt.Fprint(&y, "    stages: {v1: {throttle: {rate: 10000000, burst: 10000000}}}\n")
	fmt.Fprint(&y, "domains:\n  \"*\":\n    \"/\": bench/v1\n")
	if g.basePath != "" {
		fmt.Fprintf(&y, "    %q: bench/v1\n", g.basePath)
	}
	if g.keys > 0 {
		fmt.Fprint(&y, "usage_plans:\n  gold:\n    stages: [bench/v1]\n    throttle: {rate: 1000000, burst: 1000000}\n",
			"    quota: {limit: 1000000000, period: DAY}\napi_keys:\n")
		for i := range g.keys {
			fmt.Fprintf(&y, "  k%d: {value: %q, plans: [gold]}\n", i, keyValue(i))
		}
	}
	return y.String()
}

// keyValue is the secret of key i, 29 characters: AWS asks for 20 to 128.
func keyValue(i int) string { return fmt.Sprintf("key-%025d", i) }

// hasVariable tells which routes end in a path variable: one in ten.
func hasVariable(i int) bool { return i%10 == 9 }

// routePath is the path of route i as a definition writes it: a tree of a hundred branches to a level.
func routePath(i int) string {
	path := fmt.Sprintf("/g%d/r%d", i/100, i%100)
	if hasVariable(i) {
		path += "/items/{id}"
	}
	return path
}

// targets are requests over the routes and keys, each in an order that neither tree nor index favours. There are as
// many as routes; there must be at least as many keys as routes, or none. They are the same in every run.
func (g *gateway) targets() []target {
	all := make([]target, g.routes)
	for at, i := range rand.New(rand.NewPCG(1, 2)).Perm(g.routes) {
		all[at].path = strings.ReplaceAll(routePath(i), "{id}", "42")
		if g.keys > 0 {
			all[at].key = keyValue(i * (g.keys / g.routes))
		}
	}
	return all
}

// openAPI generates a REST API whose every operation asks for a key and is proxied to backend.
func openAPI(routes int, backend string) ([]byte, error) {
	paths := make(map[string]any, routes)
	for i := range routes {
		path := routePath(i)
		integration := map[string]any{"type": "http_proxy", "httpMethod": "GET", "uri": backend + path}
		operation := map[string]any{
			"operationId":                     fmt.Sprintf("get%d", i),
			"security":                        []any{map[string]any{"api_key": []string{}}},
			"responses":                       map[string]any{"200": map[string]any{"description": "an item"}},
			"x-amazon-apigateway-integration": integration,
		}
		if hasVariable(i) {
			operation["parameters"] = []any{map[string]any{
				"name": "id", "in": "path", "required": true, "schema": map[string]any{"type": "string"},
			}}
			integration["requestParameters"] = map[string]string{"integration.request.path.id": "method.request.path.id"}
		}
		paths[path] = map[string]any{"get": operation}
	}
	return json.Marshal(map[string]any{
		"openapi": "3.0.1",
		"info":    map[string]any{"title": "bench", "version": "1"},
		"paths":   paths,
		"components": map[string]any{"securitySchemes": map[string]any{
			"api_key": map[string]any{"type": "apiKey", "name": "x-api-key", "in": "header"},
		}},
	})
}
