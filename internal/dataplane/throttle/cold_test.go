package throttle_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/compile"
	"gatehouse/internal/dataplane/authorize/apikey"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/snapshot"
)

// keyValue is the value of key i.
func keyValue(i int) string { return fmt.Sprintf("key-%025d", i) }

// compiled gives a snapshot of one stage and one plan with n keys, that has a rate and a quota.
func compiled(tb testing.TB, n int) *snapshot.Snapshot {
	tb.Helper()
	endless := &definition.Throttle{Rate: 1e9, Burst: 1 << 30}
	in := compile.Input{
		REST: []v1.RestAPI{{ID: "bench", Public: true, Stages: []v1.Stage{{Name: "v1", Throttle: endless}}, Resources: []v1.Resource{
			{Path: "/pets", Methods: []v1.Method{{HTTPMethod: "GET", APIKeyRequired: true, Integration: &v1.Integration{Type: "HTTP_PROXY", HTTPMethod: "GET", URI: v1.Text{Value: "http://127.0.0.1:9/"}}}}},
		}}},
		UsagePlans: []definition.UsagePlan{{
			ID: "gold", Name: "gold", Stages: []definition.PlanStage{{API: "bench", Stage: "v1"}}, Throttle: endless,
			Quota: &definition.Quota{Limit: 1 << 39, Period: definition.Day},
		}},
	}
	for i := range n {
		id := fmt.Sprintf("k%d", i)
		in.APIKeys = append(in.APIKeys, definition.APIKey{ID: id, Name: id, Value: keyValue(i), Enabled: true, Plans: []string{"gold"}})
	}
	s, diags := compile.Compile(in, noon)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return s
}

// BenchmarkCold is the way through apikey and throttle with keys in random order, in which their memory is cold, and what
// a key takes in the snapshot.
func BenchmarkCold(b *testing.B) {
	for _, keys := range []int{10, 100_000} {
		b.Run(fmt.Sprint(keys, " keys"), func(b *testing.B) {
			before := heap()
			s := compiled(b, keys)
			used := heap() - before
			l := open(b, &memory{})
			r := s.Routes[0]
			first, then := apikey.For(r, s.Keys), throttle.For(r, l)
			var values []byte // in the order of requests, so that reading them costs nothing
			for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(keys) {
				values = append(values, keyValue(i)...)
			}
			x := &exchange.Exchange{Request: &fasthttp.Request{}, Started: time.Now(), Route: r, Stage: r.Stage}
			pass := func(i int) {
				const n = 29
				x.Request.Header.SetBytesV("x-api-key", values[i*n:(i+1)*n])
				if err := first.Do(x); err != nil {
					b.Fatal(err)
				}
				if err := then.Do(x); err != nil {
					b.Fatal(err)
				}
			}
			for i := range keys {
				pass(i)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				pass(i)
				if i++; i == keys {
					i = 0
				}
			}
			b.ReportMetric(float64(used)/float64(keys), "B/key")
			runtime.KeepAlive(s)
		})
	}
}
