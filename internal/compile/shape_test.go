package compile_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"gatehouse/internal/publish"
)

// TestShapes: routes share a plan only if nothing but their texts differs.
func TestShapes(t *testing.T) {
	const files = `
-- gatehouse.yaml --
apis:
  a:
    public: true
    routes:
      "GET /one": "http://b/one"
      "GET /two/{id}": "http://b/two/{id}?x=1"
      "GET /key": {backend: "http://b/key", api_key: true, public: false}
      "GET /host": "http://c/one"
      "GET /scheme": "https://b/one"
      "GET /time": {backend: "http://b/one", timeout: 5s}
      "POST /method": "http://b/one"
      "GET /limit": "http://b/one"
    stages:
      v1: {methods: {"GET /limit": {throttle: {rate: 1, burst: 1}}}}
      v2: {}
  d: {openapi: d.yaml, public: true, unserved: answer}
usage_plans: {p: {stages: [a/v1, a/v2]}}
api_keys: {k: {value: kkkkkkkkkkkkkkkkkkkkkkkk, plans: [p]}}
-- d.yaml --
openapi: 3.0.0
info: {title: d}
paths:
  /map1: {get: {responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://b/", requestParameters: {integration.request.header.A: "'1'"}}}}
  /map2: {get: {responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://b/", requestParameters: {integration.request.header.A: "'2'"}}}}
  /mock1: {get: {responses: {}, x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: 200}}}}}
  /mock2: {get: {responses: {}, x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: 201}}}}}
  /function: {get: {responses: {}, x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: "arn:aws:apigateway:us-east-1:lambda:path/x"}}}
`
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(files)).Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := publish.Read(filepath.Join(dir, "gatehouse.yaml"), os.LookupEnv, time.Unix(0, 0))
	if r.Diagnostics.HasErrors() {
		t.Fatal(r.Diagnostics)
	}
	shapes := map[string]int{}
	for _, route := range r.Snapshot.Routes {
		shapes[route.ID] = route.Shape
	}
	same := [2]string{"a/v1/GET /one", "a/v1/GET /two/{id}"}
	if shapes[same[0]] != shapes[same[1]] {
		t.Errorf("%s and %s do not share a plan", same[0], same[1])
	}
	delete(shapes, same[1])
	by := map[int]string{}
	for id, shape := range shapes {
		if other, ok := by[shape]; ok && !(id[:4] == "a/v2" && other[:4] == "a/v2") {
			t.Errorf("%s and %s share a plan", id, other)
		}
		by[shape] = id
	}
	if r.Snapshot.Shapes < len(by) {
		t.Errorf("%d shapes, counted %d", r.Snapshot.Shapes, len(by))
	}
}
