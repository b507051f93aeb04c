package throttle_test

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/authorize/apikey"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/snapshot"
)

// everything is a route with key, plan limit, stage limit, account limit and quota.
func everything(rate float64, burst int) *snapshot.Route {
	return route("GET /pets", limit("petstore/v1", rate, burst), limit("account", rate, burst))
}

func useOf(i int, plan *snapshot.Plan, rate float64, burst int) *snapshot.PlanUse {
	id := fmt.Sprintf("plan/free/key/%06d", i)
	return &snapshot.PlanUse{Plan: plan, HasLimit: true, Limit: limit(id, rate, burst), CounterID: id}
}

func freePlan(n int64) *snapshot.Plan {
	return &snapshot.Plan{ID: "free", Quota: &snapshot.Quota{Limit: n, Period: snapshot.Month}}
}

// TestNoAllocation: key, plan limit, stage limit, account limit and quota cost no allocation, passed or refused.
func TestNoAllocation(t *testing.T) {
	const value = "alice-0123456789-abcdefgh"
	for _, tc := range []struct {
		name   string
		rate   float64
		quota  int64
		pass   bool
		method bool
	}{{"passes", 1e9, 1 << 39, true, false}, {"method limit", 1e9, 1 << 39, true, true}, {"throttled", 0, 1, false, false}, {"over the quota", 1e9, 0, false, false}} {
		t.Run(tc.name, func(t *testing.T) {
			key := &snapshot.Key{
				Digest: sha256.Sum256([]byte(value)),
				Plans:  map[string]*snapshot.PlanUse{"petstore/v1": useOf(1, freePlan(tc.quota), tc.rate, 1<<30)},
			}
			if tc.method {
				key.Plans["petstore/v1"].Methods = map[string]snapshot.Limit{"GET /pets": limit("m", tc.rate, 1<<30)}
			}
			r := everything(1e9, 1<<30)
			r.Stage.ID = "petstore/v1"
			first := apikey.For(r, map[snapshot.Digest]*snapshot.Key{key.Digest: key})
			then := throttle.For(r, open(t, &memory{}))
			x := &exchange.Exchange{Request: &fasthttp.Request{}, Started: time.Now()}
			x.Request.Header.Set("x-api-key", value)
			n := testing.AllocsPerRun(1000, func() {
				if err := first.Do(x); err != nil {
					t.Fatal(err)
				}
				if err := then.Do(x); (err == nil) != tc.pass {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkDo(b *testing.B) {
	b.Run("passes", func(b *testing.B) { benchmarkDo(b, 1, 1e9, true) })
	b.Run("passes, 100000 keys", func(b *testing.B) { benchmarkDo(b, 100_000, 1e9, true) })
	b.Run("throttled", func(b *testing.B) { benchmarkDo(b, 1, 0, false) })
}

func benchmarkDo(b *testing.B, keys int, rate float64, pass bool) {
	s := throttle.For(everything(1e9, 1<<30), open(b, &memory{}))
	plan := freePlan(1 << 39)
	uses := make([]*snapshot.PlanUse, keys)
	for i := range uses {
		uses[i] = useOf(i, plan, rate, 1<<30)
		_ = do(s, uses[i], noon)
	}
	x := &exchange.Exchange{Started: noon}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		x.Use = uses[i*7919%keys]
		i++
		if err := s.Do(x); (err == nil) != pass {
			b.Fatal(err)
		}
	}
}

func BenchmarkDoParallel(b *testing.B) {
	s := throttle.For(everything(1e9, 1<<30), open(b, nil))
	use := useOf(1, freePlan(1<<39), 1e9, 1<<30)
	b.RunParallel(func(pb *testing.PB) {
		x := &exchange.Exchange{Started: noon, Use: use}
		for pb.Next() {
			_ = s.Do(x)
		}
	})
}

// BenchmarkFirstRequests is the first request of each of 100,000 keys, and what they leave in memory.
func BenchmarkFirstRequests(b *testing.B) {
	const keys = 100_000
	plan := freePlan(1 << 39)
	uses := make([]*snapshot.PlanUse, keys)
	for i := range uses {
		uses[i] = useOf(i, plan, 100, 10)
	}
	var used uint64
	for b.Loop() {
		before := heap()
		l := open(b, nil)
		s := throttle.For(everything(1e9, 1<<30), l)
		for _, use := range uses {
			_ = do(s, use, noon)
		}
		used = heap() - before
		runtime.KeepAlive(l)
	}
	b.ReportMetric(float64(used)/keys, "B/key")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkFor builds the steps of 10,000 routes of one stage.
func BenchmarkFor(b *testing.B) {
	l := open(b, nil)
	r := everything(1e9, 1<<30)
	for b.Loop() {
		for range 10_000 {
			_ = throttle.For(r, l)
		}
	}
}

// BenchmarkSweep goes over 100,000 keys that are all in use.
func BenchmarkSweep(b *testing.B) {
	l := open(b, nil)
	s := throttle.For(route("GET /"), l)
	plan := freePlan(1 << 39)
	for i := range 100_000 {
		_ = do(s, useOf(i, plan, 0.001, 10), noon)
	}
	for b.Loop() {
		l.Sweep(noon)
	}
}
