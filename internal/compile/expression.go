package compile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/snapshot"
)

// errExpression explains a mapping expression that cannot work; kind is the diagnostic's code.
type errExpression struct{ code, text string }

func (e *errExpression) Error() string { return e.text }

func badExpression(format string, args ...any) error {
	return &errExpression{"bad-mapping", fmt.Sprintf(format, args...)}
}

var mappingName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

// expression compiles the right side of a REST parameter mapping. Multi says that the value is one reference with
// several values.
func (c *compiler) expression(s string, op *operation) (t snapshot.Text, multi bool, err error) {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return snapshot.Lit(s[1 : len(s)-1]), false, nil
	}
	switch {
	case strings.HasPrefix(s, "method.request."):
		return c.requestReference(strings.TrimPrefix(s, "method.request."), op)
	case strings.HasPrefix(s, "integration.response."):
		return responseReference(strings.TrimPrefix(s, "integration.response."))
	case strings.HasPrefix(s, "stageVariables."):
		name := strings.TrimPrefix(s, "stageVariables.")
		v, ok := op.variables[name]
		if !ok {
			return nil, false, &errExpression{"unset-stage-variable", fmt.Sprintf("stage %s does not set the variable %q", op.stage, name)}
		}
		return snapshot.Lit(v), false, nil
	case strings.HasPrefix(s, "context."):
		t, err := c.contextReference(strings.TrimPrefix(s, "context."))
		return t, false, err
	}
	return nil, false, badExpression("%q is no mapping expression", s)
}

func (c *compiler) requestReference(s string, op *operation) (snapshot.Text, bool, error) {
	kind, name, _ := strings.Cut(s, ".")
	if kind == "body" {
		if name != "" {
			return nil, false, &errExpression{"template-not-served", "paths into the body are not served yet"}
		}
		return snapshot.Text{{Source: snapshot.RequestBody}}, false, nil
	}
	if !mappingName.MatchString(name) {
		return nil, false, badExpression("%q is no name of a parameter", name)
	}
	switch kind {
	case "path":
		if op.params == nil {
			return snapshot.Text{{Source: snapshot.RequestPath, Name: name, Index: -1}}, false, nil
		}
		i := slices.Index(op.params, name)
		if i < 0 {
			return nil, false, badExpression("the path %s has no variable {%s}", op.path, name)
		}
		return snapshot.Text{{Source: snapshot.RequestPath, Name: name, Index: i}}, false, nil
	case "querystring":
		return snapshot.Text{{Source: snapshot.RequestQuery, Name: name}}, false, nil
	case "header":
		return snapshot.Text{{Source: snapshot.RequestHeader, Name: name}}, false, nil
	case "multivaluequerystring":
		return snapshot.Text{{Source: snapshot.RequestMultiQuery, Name: name}}, true, nil
	case "multivalueheader":
		return snapshot.Text{{Source: snapshot.RequestMultiHeader, Name: name}}, true, nil
	}
	return nil, false, badExpression("%q is no place of a request", kind)
}

func responseReference(s string) (snapshot.Text, bool, error) {
	kind, name, _ := strings.Cut(s, ".")
	switch {
	case kind == "body" && name == "":
		return snapshot.Text{{Source: snapshot.ResponseBody}}, false, nil
	case kind == "body":
		return nil, false, &errExpression{"template-not-served", "paths into the body are not served yet"}
	case !mappingName.MatchString(name):
		return nil, false, badExpression("%q is no name of a header", name)
	case kind == "header":
		return snapshot.Text{{Source: snapshot.ResponseHeader, Name: name}}, false, nil
	case kind == "multivalueheader":
		return snapshot.Text{{Source: snapshot.ResponseMultiHeader, Name: name}}, true, nil
	}
	return nil, false, badExpression("%q is no place of a response", kind)
}

// contextReference finds a member of $context.
func (c *compiler) contextReference(name string) (snapshot.Text, error) {
	if v, ok := c.context[name]; ok {
		return snapshot.Text{{Source: snapshot.Context, Name: name, Var: v}}, nil
	}
	for _, group := range []string{"authorizer.", "authorize.", "authenticate.", "identity.", "waf.", "integration.", "requestOverride.", "responseOverride."} {
		if strings.HasPrefix(name, group) {
			return snapshot.Text{{Source: snapshot.Context, Name: name, Var: snapshot.CtxNone}}, nil
		}
	}
	return nil, badExpression("$context has no member %q", name)
}

var substitution = regexp.MustCompile(`\$(?:\{([a-zA-Z][a-zA-Z0-9_.-]*)\}|([a-zA-Z][a-zA-Z0-9_.-]*))`)

// substitutions compiles text in which $context.x, $stageVariables.x and $method.request… stand, as gateway responses
// and access logs have them. Names may end at a dot that belongs to the sentence.
func (c *compiler) substitutions(s string, op *operation) (snapshot.Text, []error) {
	var t snapshot.Text
	var errs []error
	last := 0
	for _, m := range substitution.FindAllStringSubmatchIndex(s, -1) {
		start, end := m[2], m[3]
		if start < 0 {
			start, end = m[4], m[5]
		}
		name := strings.TrimRight(s[start:end], ".-")
		root, _, _ := strings.Cut(name, ".")
		if root != "context" && root != "stageVariables" && root != "method" {
			continue
		}
		ref, _, err := c.expression(name, op)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		t = append(t, snapshot.Lit(s[last:m[0]])...)
		t = append(t, ref...)
		last = m[1] - (end - start - len(name))
		if m[2] >= 0 {
			last = m[1]
		}
	}
	return append(t, snapshot.Lit(s[last:])...), errs
}

var velocity = regexp.MustCompile(
	`\$!?\{?!?[a-zA-Z_]|\\[$#]|#\{?(set|if|elseif|else|end|foreach|break|stop|macro|define|evaluate|include|parse)\b|#[@*#]|#\[\[`)

// constant reports whether a mapping template is text that Velocity would give back as it is.
func constant(template string) bool { return !velocity.MatchString(template) }
