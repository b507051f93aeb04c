package throttle_test

import (
	"crypto/sha256"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/authorize/apikey"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// everything is a route with key, plan limit, stage limit, account limit and quota.
func everything(rate float64, burst int) *snapshot.Route {
	return route("GET /pets", limit("petstore/v1", rate, burst), limit("account", rate, burst))
}

func freePlan(n int64, rate float64, burst int) *snapshot.Plan {
	return &snapshot.Plan{ID: "free", Limit: each(rate, burst), Quota: &snapshot.Quota{Limit: n, Period: snapshot.Month}}
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
			use := &snapshot.PlanUse{Plan: freePlan(tc.quota, tc.rate, 1<<30), Keys: 1}
			if tc.method {
				m := limit("m", tc.rate, 1<<30)
				use.Methods = map[string]*snapshot.Limit{"GET /pets": &m}
			}
			r := everything(1e9, 1<<30)
			first := apikey.For(r, snapshot.NewKeys([]snapshot.Key{
				{ID: "alice", Digest: sha256.Sum256([]byte(value)), Plans: map[*snapshot.Stage]*snapshot.PlanUse{r.Stage: use}},
			}))
			then := throttle.For(r, open(t, &memory{}))
			x := &exchange.Exchange{Request: &fasthttp.Request{}, Started: time.Now(), Route: r}
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
	uses := callers(keys, freePlan(1<<39, rate, 1<<30))
	for _, use := range uses {
		_ = do(s, use, noon)
	}
	x := &exchange.Exchange{Started: noon}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		x.Key, x.Use = uses[i*7919%keys].Key, uses[0].PlanUse
		i++
		if err := s.Do(x); (err == nil) != pass {
			b.Fatal(err)
		}
	}
}

func BenchmarkDoParallel(b *testing.B) {
	s := throttle.For(everything(1e9, 1<<30), open(b, nil))
	use := callers(1, freePlan(1<<39, 1e9, 1<<30))[0]
	b.RunParallel(func(pb *testing.PB) {
		x := &exchange.Exchange{Started: noon, Key: use.Key, Use: use.PlanUse}
		for pb.Next() {
			_ = s.Do(x)
		}
	})
}

// BenchmarkFirstRequests is the first request of each of 100,000 keys, and what they leave in memory.
func BenchmarkFirstRequests(b *testing.B) {
	const keys = 100_000
	uses := callers(keys, freePlan(1<<39, 100, 10))
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
	for _, use := range callers(100_000, freePlan(1<<39, 0.001, 10)) {
		_ = do(s, use, noon)
	}
	for b.Loop() {
		l.Sweep(noon)
	}
}

// BenchmarkSave saves 10,000 counters of 100,000 that changed in random order.
func BenchmarkSave(b *testing.B) {
	s, err := sqlite.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	l := open(b, store.NewShelf(s, "quotaCounter"))
	step := throttle.For(route("GET /"), l)
	all := callers(100_000, freePlan(1<<39, 1e9, 1<<30))
	save := func(some []*caller) {
		for _, c := range some {
			_ = do(step, c, noon)
		}
		b.StartTimer()
		if err := l.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
	}
	save(all)
	b.ResetTimer()
	for range b.N {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		save(all[:10_000])
	}
}
