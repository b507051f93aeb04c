package dataplane_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/plans.txt")

// oneOfEachKind has a route of every kind that is served.
const oneOfEachKind = `
apis:
  plain: {public: true, routes: {"GET /proxy": "http://127.0.0.1:9/"}}
  keyed: {api_key: true, routes: {"GET /keyed": "http://127.0.0.1:9/"}, stages: {v1: {throttle: {rate: 5, burst: 5}}}}
  web: {kind: http, public: true, routes: {"ANY /web": "http://127.0.0.1:9/"}}
  doc: {openapi: doc.yaml, unserved: answer}
usage_plans: {gold: {stages: [keyed/v1], quota: {limit: 5, period: DAY}}}
api_keys: {k0: {value: "key-0000000000000000000000000", plans: [gold]}}
`

const oneOfEachDocument = `
openapi: 3.0.1
info: {title: doc}
paths:
  /custom:
    get: {security: [], responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: "http://127.0.0.1:9/", responses: {default: {statusCode: 200}}}}
  /mock:
    get: {security: [], responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: 200}}}}
  /function:
    get: {security: [], responses: {}, x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations"}}
`

// TestPlans holds the plan of one route of each kind.
func TestPlans(t *testing.T) {
	s := readFiles(t, map[string]string{"gatehouse.yaml": oneOfEachKind, "doc.yaml": oneOfEachDocument})
	d := plane(t, everything)
	d.Swap(s)
	var b strings.Builder
	for _, r := range s.Routes {
		fmt.Fprintf(&b, "%s: listen → match → %s\n", r.Key, strings.Join(slices.Collect(d.Steps(r)), " → "))
	}
	const file = "testdata/plans.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-want +got, rewrite with -update:\n%s", diff)
	}
}
