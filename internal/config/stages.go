package config

import (
	"strings"
	"unicode/utf8"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/doctree"
)

// AWS's limits of stage variables: how many, and characters of a name and a value.
const (
	maxVariables     = 100
	maxVariableName  = 64
	maxVariableValue = 512
)

// defaultStage is the HTTP API's stage without a path segment.
const defaultStage = "$default"

// stage is a stage of either family. Methods is keyed by route key.
type stage struct {
	name      string
	variables map[string]string
	throttle  *definition.Throttle
	methods   map[string]v1.MethodSetting
	accessLog v1.Text
	place     definition.Place
}

func (s stage) v1() v1.Stage {
	out := v1.Stage{Name: s.name, Variables: s.variables, Throttle: s.throttle, AccessLogFormat: s.accessLog, Place: s.place}
	if len(s.methods) > 0 {
		out.MethodSettings = make(map[string]v1.MethodSetting, len(s.methods))
	}
	for key, m := range s.methods {
		out.MethodSettings[settingKey(key)] = m
	}
	return out
}

func (s stage) v2() v2.Stage {
	return v2.Stage{
		Name: s.name, Variables: s.variables, Throttle: s.throttle, RouteSettings: s.methods, AccessLogFormat: s.accessLog,
		Place: s.place,
	}
}

func (a *api) stageNames() []string {
	names := make([]string, len(a.stages))
	for i, s := range a.stages {
		names[i] = s.name
	}
	return names
}

// readStages runs when the API's family and routes are known.
func (d *decoder) readStages(a *api) {
	if a.stagesNode == nil {
		a.stages = []stage{a.impliedStage(d.at(a.node))}
		return
	}
	d.each("stages", a.stagesNode, func(name, value *doctree.Node) {
		d.checkStageName(a, name)
		a.stages = append(a.stages, d.readStage(a, name, value))
	})
	if a.stagesNode.Kind == doctree.Mapping && len(a.stagesNode.Pairs) == 0 {
		d.fail(codeBadValue, a.stagesNode, "leave stages out to get one", "an API needs at least one stage")
	}
}

func (a *api) impliedStage(at definition.Place) stage {
	if a.http != nil {
		return stage{name: defaultStage, place: at}
	}
	return stage{name: "default", place: at}
}

func (d *decoder) checkStageName(a *api, name *doctree.Node) {
	switch {
	case name.Value == defaultStage && a.rest != nil:
		d.fail(codeStageName, name, "", "a REST API cannot have a stage %s", quote(name.Value))
	case name.Value != defaultStage && !consistsOf(name.Value, "_-", 128):
		d.fail(codeStageName, name, "", "the stage %s is not named with 1 to 128 letters, digits, hyphens and underscores", quote(name.Value))
	}
}

func (d *decoder) readStage(a *api, name, n *doctree.Node) stage {
	s := stage{name: name.Value, place: d.at(name)}
	d.mapping("a stage", n, []field{
		{"variables", func(d *decoder, key string, n *doctree.Node) { s.variables = d.readVariables(key, n) }},
		{"throttle", throttle(&s.throttle)},
		{"methods", func(d *decoder, key string, n *doctree.Node) { s.methods = d.readMethodSettings(a, key, n) }},
		{"access_log", accessLog(&s.accessLog)},
	})
	return s
}

func (d *decoder) readMethodSettings(a *api, key string, n *doctree.Node) map[string]v1.MethodSetting {
	out := map[string]v1.MethodSetting{}
	d.each(key, n, func(name, value *doctree.Node) {
		m := v1.MethodSetting{Place: d.at(name)}
		d.mapping("a method", value, []field{{"throttle", throttle(&m.Throttle)}})
		if d.route(a, name) {
			out[name.Value] = m
		}
	})
	return out
}

func (d *decoder) readVariables(key string, n *doctree.Node) map[string]string {
	out := map[string]string{}
	d.each(key, n, func(name, value *doctree.Node) {
		s, ok := d.scalar(name.Value, value, "text")
		if !ok {
			return
		}
		switch {
		case !consistsOf(name.Value, "_", maxVariableName):
			d.fail(codeStageVariable, name, "", "a stage variable's name has 1 to %d letters, digits and underscores", maxVariableName)
		case utf8.RuneCountInString(s) > maxVariableValue:
			d.fail(codeStageVariable, value, "", "a stage variable's value has at most %d characters", maxVariableValue)
		case s != "" && !consistsOf(s, "-._~:/?#&=,", maxVariableValue):
			d.fail(codeStageVariable, value, "percent-encode the others", "a stage variable's value has letters, digits and -._~:/?#&=, only")
		default:
			out[name.Value] = s
		}
	})
	if n.Kind == doctree.Mapping && len(n.Pairs) > maxVariables {
		d.fail(codeStageVariable, n, "", "a stage has at most %d variables, not %d", maxVariables, len(n.Pairs))
	}
	return out
}

// isAWSName tells whether s may be the name of a path variable.
func isAWSName(s string) bool { return consistsOf(s, "._$-", 128) && !strings.HasPrefix(s, "$") }
