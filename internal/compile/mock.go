package compile

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/snapshot"
)

// mock compiles the request templates of a MOCK integration, which must render JSON with a statusCode.
func (c *compiler) mock(op *operation, d *v1.Integration, out *snapshot.Integration) {
	for _, media := range jsonFirst(d.RequestTemplates) {
		t := d.RequestTemplates[media]
		out.RequestTypes = append(out.RequestTypes, media)
		if !constant(t.Value) {
			continue // reported by requestTemplates
		}
		status := mockStatus(t.Value)
		if status == "" {
			c.warn("mock-without-status", t.Place, `render {"statusCode": 200}`, "%s: the mock's template is no JSON object with a statusCode: as on AWS every request ends with 500", op.key)
		}
		if out.MockStatus == "" {
			out.MockStatus = status
		} else if status != out.MockStatus {
			c.warn("mock-statuses-differ", t.Place, "", "%s: the mock's templates have different status codes, and the first one is used for all", op.key)
		}
	}
	if len(d.RequestTemplates) == 0 {
		c.warn("mock-without-status", d.Place, `add requestTemplates with {"statusCode": 200}`,
			"%s: the mock has no request template: as on AWS requests without a JSON body that holds a statusCode end with 500", op.key)
	}
}

// keyOrString finds strings, which stay as they are, and keys without quotes.
var keyOrString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|([A-Za-z_][A-Za-z0-9_]*)\s*:`)

// mockStatus finds the status code in a JSON object, "" when there is none. AWS: keys without quotes are tolerated.
func mockStatus(template string) string {
	var doc struct {
		StatusCode json.Number `json:"statusCode"`
	}
	quoted := keyOrString.ReplaceAllStringFunc(template, func(s string) string {
		if s[0] == '"' {
			return s
		}
		return strconv.Quote(strings.TrimSpace(s[:len(s)-1])) + ":"
	})
	if err := json.Unmarshal([]byte(quoted), &doc); err != nil {
		return ""
	}
	return doc.StatusCode.String()
}
