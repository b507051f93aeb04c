package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/internal/lib/doctree"
	"gatehouse/internal/openapi"
)

// operations is a document with n operations as teams write them: parameters, a key, responses, a model, an integration.
func operations(n int) []byte {
	var b strings.Builder
	b.WriteString("openapi: 3.0.1\ninfo: {title: many, version: '1.0'}\npaths:\n")
	for i := range n {
		fmt.Fprintf(&b, `  /group%d/things/{id}/parts%d:
    get:
      operationId: getPart%d
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - $ref: '#/components/parameters/limit'
      security:
      - api_key: []
      responses:
        200:
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Part'}
        404: {$ref: '#/components/responses/Missing'}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: GET
        uri: http://127.0.0.1:9000/things/{id}/parts%d
        requestParameters:
          integration.request.path.id: method.request.path.id
        responses: {default: {statusCode: 200}}
        timeoutInMillis: 29000
`, i%100, i, i, i)
	}
	b.WriteString(`components:
  parameters: {limit: {name: limit, in: query, schema: {type: integer}}}
  responses: {Missing: {description: missing, content: {application/json: {schema: {type: object}}}}}
  schemas: {Part: {type: object, properties: {id: {type: string}}}}
  securitySchemes: {api_key: {type: apiKey, in: header, name: x-api-key}}
`)
	return []byte(b.String())
}

func BenchmarkRead(b *testing.B) {
	yaml := operations(10_000)
	tree, err := doctree.Parse("big.yaml", yaml)
	if err != nil {
		b.Fatal(err)
	}
	for _, bc := range []struct {
		name string
		text []byte
	}{{"yaml", yaml}, {"json", tree.JSON()}} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				api, ds := openapi.Read(bc.name, bc.text, openapi.Options{})
				if len(ds) > 0 || len(api.REST.Resources) != 10_000 {
					b.Fatal(text(ds))
				}
			}
		})
		b.Run(bc.name+"-parse-alone", func(b *testing.B) {
			for b.Loop() {
				if _, err := doctree.Parse(bc.name, bc.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
