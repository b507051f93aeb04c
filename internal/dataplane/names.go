package dataplane

import (
	"fmt"
	"strings"
)

// stepName gives "throttle" for a *throttle.Step and "transform request" for a *transform.RequestStep.
func stepName(s Step) string {
	pkg, kind, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", s), "*"), ".")
	if pkg == "dataplane" {
		return strings.ToLower(kind)
	}
	if kind = strings.ToLower(strings.TrimSuffix(kind, "Step")); kind != "" {
		return pkg + " " + kind
	}
	return pkg
}
