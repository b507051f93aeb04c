package compile

import (
	"encoding/json"
	"regexp"
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
			c.warn("mock-without-status", t.Place, `render {"statusCode": 200}`, "%s: the mock's template has no statusCode: as on AWS every request ends with 500", op.key)
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

var statusKey = regexp.MustCompile(`["']?statusCode["']?\s*:\s*["']?(\d{3})\b`)

// mockStatus finds the status code. AWS: a key without quotes is tolerated.
func mockStatus(template string) string {
	var doc struct {
		StatusCode json.Number `json:"statusCode"`
	}
	if err := json.Unmarshal([]byte(template), &doc); err == nil {
		return doc.StatusCode.String()
	}
	if m := statusKey.FindStringSubmatch(template); m != nil && strings.HasPrefix(strings.TrimSpace(template), "{") {
		return m[1]
	}
	return ""
}
