package doctree_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/internal/lib/doctree"
)

// operations returns an OpenAPI-like document with n operations, as YAML.
func operations(n int) string {
	var b strings.Builder
	b.WriteString("openapi: 3.0.1\ninfo: {title: many, version: '1.0'}\npaths:\n")
	for i := range n {
		fmt.Fprintf(&b, `  /group%d/things/{id}/parts%d:
    get:
      operationId: getPart%d
      summary: One of many operations
      parameters:
      - name: id
        in: path
        required: true
        schema:
          type: string
      - name: limit
        in: query
        schema:
          type: integer
          maximum: 100
      security:
      - api_key: []
      responses:
        200:
          description: ok
          content:
            application/json:
              schema:
                $ref: "#/components/schemas/Part"
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: GET
        uri: http://127.0.0.1:9000/things/{id}/parts%d
        requestParameters:
          integration.request.path.id: method.request.path.id
        timeoutInMillis: 29000
`, i%100, i, i, i)
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	yaml := []byte(operations(10_000))
	tree, err := doctree.Parse("big.yaml", yaml)
	if err != nil {
		b.Fatal(err)
	}
	for _, bc := range []struct {
		name string
		text []byte
	}{{"yaml", yaml}, {"json", tree.JSON()}} {
		b.Run(bc.name, func(b *testing.B) {
			b.SetBytes(int64(len(bc.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := doctree.Parse(bc.name, bc.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("duplicates", func(b *testing.B) {
		for b.Loop() {
			doctree.Duplicates(tree)
		}
	})
}
