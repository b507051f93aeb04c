package compile_test

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/compile"
	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/snapshot"
)

// shop is an API with two stages.
func shop() compile.Input {
	get := v1.Method{HTTPMethod: "GET", APIKeyRequired: true, Integration: &v1.Integration{
		Type: "HTTP_PROXY", HTTPMethod: "GET", URI: v1.Text{Value: "http://127.0.0.1:9/"},
	}}
	return compile.Input{REST: []v1.RestAPI{{
		ID: "shop", Public: true, Stages: []v1.Stage{{Name: "v1"}, {Name: "v2"}},
		Resources: []v1.Resource{{Path: "/pets", Methods: []v1.Method{get}}},
	}}}
}

func usagePlan(id string, limit *definition.Throttle, stages ...definition.PlanStage) definition.UsagePlan {
	return definition.UsagePlan{ID: id, Name: id, Throttle: limit, Stages: stages}
}

func apiKey(id string, plans ...string) definition.APIKey {
	return definition.APIKey{ID: id, Name: id, Value: "value of " + id, Enabled: true, Plans: plans}
}

func find(s *snapshot.Snapshot, id string) *snapshot.Key {
	d := snapshot.Digest(sha256.Sum256([]byte("value of " + id)))
	return s.Keys.Find(&d)
}

// TestPlans: a key finds what its plans allow it by stage, and shares it with the keys of the same plans.
func TestPlans(t *testing.T) {
	v1, v2 := definition.PlanStage{API: "shop", Stage: "v1"}, definition.PlanStage{API: "shop", Stage: "v2"}
	narrow := v2
	narrow.Methods = map[string]definition.Throttle{"/pets/GET": {Rate: 1, Burst: 2}}
	in := shop()
	in.UsagePlans = []definition.UsagePlan{
		usagePlan("both", &definition.Throttle{Rate: 3, Burst: 4}, v1, v2), usagePlan("first", nil, v1), usagePlan("second", nil, narrow),
	}
	in.UsagePlans[1].Quota = &definition.Quota{Limit: 5, Offset: 1, Period: definition.Week}
	off := apiKey("off", "both")
	off.Enabled = false
	in.APIKeys = []definition.APIKey{
		apiKey("a", "both"), apiKey("b", "first", "second"), off, apiKey("c", "both"), apiKey("d"), apiKey("e", "first"),
	}
	s, diags := compile.Compile(in, time.Unix(0, 0))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	first, second := s.APIs["shop"].Stages["v1"], s.APIs["shop"].Stages["v2"]
	a, b, c, d, e := find(s, "a"), find(s, "b"), find(s, "c"), find(s, "d"), find(s, "e")
	if s.Keys.Len() != 5 || find(s, "off") != nil || a.ID != "a" || e.ID != "e" || len(d.Plans) != 0 {
		t.Fatalf("the keys are %+v, %+v and %+v", a, d, e)
	}
	if a.Plans[first] != a.Plans[second] || a.Plans[first] != c.Plans[first] || a.Index+c.Index != 1 {
		t.Errorf("a and c do not share what their plan allows: %+v and %+v", a, c)
	}
	want := map[*snapshot.Stage]*snapshot.PlanUse{
		first: {Plan: &snapshot.Plan{ID: "first", Name: "first", Quota: &snapshot.Quota{Limit: 5, Offset: 1, Period: snapshot.Week}}, Keys: 1},
		second: {
			Plan: &snapshot.Plan{ID: "second", Name: "second"}, Keys: 1,
			Methods: map[string]*snapshot.Limit{"GET /pets": {ID: "shop/v2/GET /pets", Rate: 1, Burst: 2}},
		},
	}
	if diff := cmp.Diff(want[first], b.Plans[first]); diff != "" {
		t.Errorf("b on v1 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[second], b.Plans[second]); diff != "" {
		t.Errorf("b on v2 (-want +got):\n%s", diff)
	}
	both := &snapshot.PlanUse{Plan: &snapshot.Plan{ID: "both", Name: "both", Limit: &snapshot.Limit{Rate: 3, Burst: 4}}, Keys: 2}
	if diff := cmp.Diff(both, a.Plans[second]); diff != "" {
		t.Errorf("a on v2 (-want +got):\n%s", diff)
	}
	if e.Plans[first] == b.Plans[first] || e.Index != 0 || e.Plans[second] != nil {
		t.Errorf("e shares with b, which has another plan too: %+v", e)
	}
}

// TestPlanErrors: each key is told what is wrong with it.
func TestPlanErrors(t *testing.T) {
	stage := definition.PlanStage{API: "shop", Stage: "v1"}
	in := shop()
	in.UsagePlans = []definition.UsagePlan{usagePlan("one", nil, stage), usagePlan("two", nil, stage)}
	same := apiKey("same")
	same.Value = "value of a"
	in.APIKeys = []definition.APIKey{apiKey("a", "one", "two"), apiKey("b", "one", "two"), apiKey("c", "none"), apiKey("d", "none"), same}
	_, diags := compile.Compile(in, time.Unix(0, 0))
	var got []string
	for _, d := range diags {
		got = append(got, d.Code+": "+d.Message)
	}
	slices.Sort(got)
	want := []string{
		`duplicate-key: the API keys "a" and "same" have the same value`,
		`two-plans: the API key "a" is in the plans "one" and "two", both for shop/v1`,
		`two-plans: the API key "b" is in the plans "one" and "two", both for shop/v1`,
		`unknown-plan: the API key "c" names the usage plan "none", which does not exist`,
		`unknown-plan: the API key "d" names the usage plan "none", which does not exist`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
