package throttle_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

// noon is a Wednesday.
var noon = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, keeper throttle.Keeper) *throttle.Ledger {
	t.Helper()
	l, err := throttle.Open(t.Context(), throttle.Config{
		Keeper: keeper, Now: func() time.Time { return noon }, SaveEvery: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(t.Context()) })
	return l
}

// route makes a route that needs a key.
func route(key string, limits ...snapshot.Limit) *snapshot.Route {
	return &snapshot.Route{
		Key: key, Method: "GET", ResourceID: "r1", APIKeyRequired: true, Limits: limits,
		Stage: &snapshot.Stage{Name: "v1", API: &snapshot.API{ID: "petstore"}},
	}
}

func limit(id string, rate float64, burst int) snapshot.Limit {
	return snapshot.Limit{ID: id, Rate: rate, Burst: burst}
}

// caller is a key with what its plan allows it.
type caller struct {
	*snapshot.Key
	*snapshot.PlanUse
}

// callers are n keys that share a plan use.
func callers(n int, plan *snapshot.Plan) []*caller {
	use := &snapshot.PlanUse{Plan: plan, Keys: n}
	all := make([]*caller, n)
	for i := range all {
		all[i] = &caller{&snapshot.Key{ID: fmt.Sprintf("key%06d", i), Index: uint32(i)}, use}
	}
	return all
}

// alice has the only key of a plan.
func alice(plan snapshot.Plan, methods map[string]*snapshot.Limit) *caller {
	plan.ID = "free"
	return &caller{&snapshot.Key{ID: "alice"}, &snapshot.PlanUse{Plan: &plan, Methods: methods, Keys: 1}}
}

func planUse(q *snapshot.Quota) *caller { return alice(snapshot.Plan{Quota: q}, nil) }

// each is a plan's limit for each key.
func each(rate float64, burst int) *snapshot.Limit { return &snapshot.Limit{Rate: rate, Burst: burst} }

func do(s *throttle.Step, c *caller, at time.Time) error {
	x := &exchange.Exchange{Started: at, Route: &snapshot.Route{Key: "GET /pets"}}
	if c != nil {
		x.Key, x.Use = c.Key, c.PlanUse
	}
	return s.Do(x)
}

// passes says how many of n requests at one time pass.
func passes(s *throttle.Step, use *caller, at time.Time, n int) int {
	passed := 0
	for range n {
		if do(s, use, at) == nil {
			passed++
		}
	}
	return passed
}

func TestOrder(t *testing.T) {
	quota := &snapshot.Quota{Limit: 5, Period: snapshot.Day}
	m, n := limit("m", 1, 4), limit("n", 1, 1)
	methods, others := map[string]*snapshot.Limit{"GET /pets": &m, "GET /": &n}, map[string]*snapshot.Limit{"GET /": &n}
	for _, tc := range []struct {
		name   string
		use    *caller
		limits []snapshot.Limit
		passes int // of 20 at once
		kind   fault.Kind
		reason string
	}{
		{"nothing", planUse(nil), nil, 20, 0, ""},
		{
			"key", alice(snapshot.Plan{Limit: each(5, 10)}, nil),
			[]snapshot.Limit{limit("stage", 100, 15)},
			10, fault.Throttled, "Key throttle limit exceeded for Usage Plan ID free. Limit: 5.00 Burst: 10",
		},
		{"method instead of key", alice(snapshot.Plan{Limit: each(5, 2)}, methods), nil, 4, fault.Throttled, "Plan ID free, m. Limit: 1.00 Burst: 4"},
		{"method of another route", alice(snapshot.Plan{Limit: each(5, 2)}, others), nil, 2, fault.Throttled, "Limit: 5.00 Burst: 2"},
		{"method and quota", alice(snapshot.Plan{Quota: &snapshot.Quota{Limit: 3}}, methods), nil, 3, fault.QuotaExceeded, "Quota Limit: 3"},
		{"stage", planUse(quota), []snapshot.Limit{limit("stage", 1, 3), limit("account", 1, 9)}, 3, fault.Throttled, "for stage."},
		{
			"account", planUse(nil),
			[]snapshot.Limit{limit("stage", 1, 9), limit("account", 1.5, 3)},
			3, fault.Throttled,
			"for account. Limit: 1.50 Burst: 3",
		},
		{"without a key", nil, []snapshot.Limit{limit("stage", 1, 3)}, 3, fault.Throttled, "for stage."},
		{
			"quota", planUse(quota),
			[]snapshot.Limit{limit("stage", 1, 9)},
			5, fault.QuotaExceeded,
			"Key quota exhausted for Usage Plan ID free. Quota Limit: 5 Period: DAY",
		},
		{"rate 0", planUse(nil), []snapshot.Limit{limit("stage", 0, 3)}, 0, fault.Throttled, "for stage."},
		{"burst 0", planUse(nil), []snapshot.Limit{limit("stage", 3, 0)}, 0, fault.Throttled, "for stage."},
		{"no number", planUse(nil), []snapshot.Limit{limit("stage", math.NaN(), 3)}, 0, fault.Throttled, "for stage."},
		{"hardly any rate", planUse(nil), []snapshot.Limit{limit("stage", 1e-300, 3)}, 1, fault.Throttled, "for stage."},
		{"endless", planUse(nil), []snapshot.Limit{limit("stage", math.Inf(1), math.MaxInt)}, 20, 0, ""},
		{"quota 0", planUse(&snapshot.Quota{}), nil, 0, fault.QuotaExceeded, "Quota Limit: 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := throttle.For(route("GET /pets", tc.limits...), open(t, nil))
			if got := passes(s, tc.use, noon, 20); got != tc.passes {
				t.Errorf("%d of 20 passed, want %d", got, tc.passes)
			}
			err := do(s, tc.use, noon)
			if tc.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != tc.kind || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("got %#v, want %s with %q", err, tc.kind, tc.reason)
			}
		})
	}
}

func TestNotNeeded(t *testing.T) {
	if s := throttle.For(&snapshot.Route{}, open(t, nil)); s != nil {
		t.Error("a route without key and limits has a step")
	}
}

// TestGivesBack: what a refused request took from the limits before the one that refused is there again.
func TestGivesBack(t *testing.T) {
	l := open(t, nil)
	use := alice(snapshot.Plan{Limit: each(1, 10), Quota: &snapshot.Quota{Limit: 3, Period: snapshot.Day}}, nil)
	stage, account := limit("stage", 1, 10), limit("account", 1, 5)
	if got := passes(throttle.For(route("GET /", stage, account), l), use, noon, 50); got != 3 {
		t.Fatalf("%d passed the quota, want 3", got)
	}
	use = alice(snapshot.Plan{Limit: each(1, 10)}, nil)
	if got := passes(throttle.For(route("GET /", stage, account), l), use, noon, 50); got != 2 {
		t.Errorf("%d passed the account's limit, want the 2 that the quota left", got)
	}
	if got := passes(throttle.For(route("GET /", stage), l), nil, noon, 50); got != 5 {
		t.Errorf("%d passed the stage's limit, want 5", got)
	}
	if got := passes(throttle.For(route("GET /"), l), use, noon, 50); got != 5 {
		t.Errorf("%d passed the key's limit, want 5", got)
	}
	want := throttle.Stats{RefusedKey: 45, RefusedRoute: 48 + 45, RefusedQuota: 47, Buckets: 3, Counters: 1}
	if got := l.Stats(); got != want {
		t.Errorf("stats are %+v, want %+v", got, want)
	}
}

func TestBucketsAreShared(t *testing.T) {
	l := open(t, nil)
	a := throttle.For(route("GET /a", limit("stage", 1, 10)), l)
	b := throttle.For(route("GET /b", limit("stage", 1, 10)), l)
	c := throttle.For(route("GET /c", limit("other", 1, 10)), l)
	if x, y, z := passes(a, nil, noon, 6), passes(b, nil, noon, 6), passes(c, nil, noon, 20); x != 6 || y != 4 || z != 10 {
		t.Errorf("%d, %d and %d passed, want 6, 4 and 10", x, y, z)
	}
}

// TestRefill: tokens come one by one at the rate, and no more than the burst.
func TestRefill(t *testing.T) {
	s := throttle.For(route("GET /", limit("stage", 4, 3)), open(t, nil))
	at := noon
	for _, tc := range []struct {
		wait   time.Duration
		passes int
	}{
		{0, 3}, {249 * time.Millisecond, 0}, {time.Millisecond, 1}, {500 * time.Millisecond, 2}, {time.Hour, 3}, {-time.Second, 0},
	} {
		at = at.Add(tc.wait)
		if got := passes(s, nil, at, 10); got != tc.passes {
			t.Errorf("%v later %d passed, want %d", tc.wait, got, tc.passes)
		}
	}
}

// TestNeverOver: whatever the arrivals, no window of time lets more than rate × time + burst pass, and a bucket that is
// always asked lets nearly as many pass.
func TestNeverOver(t *testing.T) {
	l := open(t, nil)
	for i := range 60 {
		seed := uint64(i)
		r := rand.New(rand.NewPCG(seed, 1))
		rate := math.Exp(r.Float64()*16 - 4)
		burst := 1 + r.IntN(40)
		s := throttle.For(route("GET /", limit(strings.Repeat("x", i+1), rate, burst)), l)
		mean := []float64{0.1, 0.9, 3}[i%3] / rate * 1e9
		var times []time.Duration
		var at, last time.Duration
		for range 600 {
			at += time.Duration(r.ExpFloat64() * mean)
			asked := at - time.Duration(r.Float64()*mean) // out of order
			last = max(last, asked)
			if do(s, nil, noon.Add(asked)) == nil {
				times = append(times, asked)
			}
		}
		slices.Sort(times)
		for j := range times {
			for k := j; k < len(times); k++ {
				most := rate*(times[k]-times[j]).Seconds() + float64(burst)
				if n := k - j + 1; float64(n) > most+1e-6 {
					t.Fatalf("seed %d: rate %g burst %d: %d passed in %v", seed, rate, burst, n, times[k]-times[j])
				}
			}
		}
		if i%3 == 0 && burst > 4 && rate < 1e5 { // a bucket of one token is full while it waits for the next request
			if least := 0.95*rate*last.Seconds() + float64(burst) - 3; float64(len(times)) < min(least, 600) {
				t.Errorf("seed %d: rate %g burst %d: only %d passed in %v", seed, rate, burst, len(times), last)
			}
		}
	}
}

// TestExactAtOnce: of many requests at once, exactly as many pass as there are tokens, while a sweep goes on.
func TestExactAtOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		use  func() *caller
		lim  []snapshot.Limit
	}{
		{"key", func() *caller { return alice(snapshot.Plan{Limit: each(1, 500)}, nil) }, nil},
		{"key and quota", func() *caller {
			return alice(snapshot.Plan{Limit: each(1, 600), Quota: &snapshot.Quota{Limit: 500}}, nil)
		}, nil},
		{"stage", func() *caller { return nil }, []snapshot.Limit{limit("s", 1, 500)}},
		{"quota", func() *caller { return planUse(&snapshot.Quota{Limit: 500, Period: snapshot.Month}) }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 20 {
				l := open(t, nil)
				s := throttle.For(route("GET /", tc.lim...), l)
				var passed atomic.Int64
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() { passed.Add(int64(passes(s, tc.use(), noon, 200))) })
				}
				wg.Go(func() {
					for range 50 {
						l.Sweep(noon)
					}
				})
				wg.Wait()
				if passed.Load() != 500 {
					t.Fatalf("%d passed, want 500", passed.Load())
				}
			}
		})
	}
}

// TestLimitChanges: a snapshot with another limit finds the bucket as full as it was.
func TestLimitChanges(t *testing.T) {
	l := open(t, nil)
	step := func(rate float64, burst int) *throttle.Step {
		return throttle.For(route("GET /", limit("stage", rate, burst)), l)
	}
	if got := passes(step(0.001, 10), nil, noon, 10); got != 10 {
		t.Fatalf("%d passed, want 10", got)
	}
	raised := step(100, 100)
	if got := passes(raised, nil, noon, 10); got != 0 {
		t.Errorf("%d passed the empty bucket, want 0", got)
	}
	if got := passes(raised, nil, noon.Add(100*time.Millisecond), 20); got != 10 {
		t.Errorf("%d passed 100 ms after the limit was raised, want 10", got)
	}
	later := noon.Add(time.Hour)
	if got := passes(raised, nil, later, 50); got != 50 {
		t.Errorf("%d passed, want 50", got)
	}
	if got := passes(step(1, 10), nil, later, 50); got != 5 {
		t.Errorf("%d passed after the limit was lowered, want half of the burst", got)
	}
}

// TestSweep: what matters no more is dropped, and a step that knew it goes on to limit exactly. A key's bucket goes with
// its counter.
func TestSweep(t *testing.T) {
	l := open(t, nil)
	s := throttle.For(route("GET /", limit("stage", 1, 10)), l)
	use := alice(snapshot.Plan{Limit: each(10, 10), Quota: &snapshot.Quota{Limit: 100, Period: snapshot.Day}}, nil)
	passes(s, use, noon, 10)
	bob := alice(snapshot.Plan{Limit: each(10, 10)}, nil)
	bob.ID = "bob"
	passes(throttle.For(route("GET /"), l), bob, noon, 10)
	sizes := func(at time.Time) [2]int64 {
		l.Sweep(at)
		return [2]int64{l.Stats().Buckets, l.Stats().Counters}
	}
	midnight := noon.Add(12 * time.Hour)
	for _, tc := range []struct {
		at   time.Time
		want [2]int64
	}{
		{noon.Add(999 * time.Millisecond), [2]int64{3, 1}},
		{noon.Add(time.Second), [2]int64{2, 1}},
		{noon.Add(10 * time.Second), [2]int64{1, 1}},
		{midnight.Add(24*time.Hour - 1), [2]int64{1, 1}},
		{midnight.Add(24 * time.Hour), [2]int64{0, 0}},
	} {
		if got := sizes(tc.at); got != tc.want {
			t.Errorf("at %v buckets and counters are %v, want %v", tc.at, got, tc.want)
		}
	}
	if got := passes(s, use, midnight.Add(24*time.Hour), 20); got != 10 {
		t.Errorf("%d passed after the sweep, want 10", got)
	}
	if got := sizes(midnight.Add(24 * time.Hour)); got != [2]int64{2, 1} {
		t.Errorf("buckets and counters are %v, want 2 and 1", got)
	}
}

// TestSweepMeetsFirstRequest: an account that is asked for the first time while a sweep looks at it stays what it was.
func TestSweepMeetsFirstRequest(t *testing.T) {
	const keys = 50_000
	l := open(t, nil)
	s := throttle.For(route("GET /"), l)
	uses := callers(keys, freePlan(2, 1e9, 10))
	var requests, sweeps sync.WaitGroup
	stop := make(chan struct{})
	sweeps.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				l.Sweep(noon.Add(time.Hour)) // all buckets are full again
			}
		}
	})
	requests.Go(func() {
		for i, use := range uses {
			if n := passes(s, use, noon, 3); n != 2 {
				t.Errorf("%d requests of key %d passed, want 2", n, i)
			}
		}
	})
	requests.Wait()
	close(stop)
	sweeps.Wait()
	if n := l.Stats().Counters; n != keys {
		t.Errorf("%d counters, want %d", n, keys)
	}
}

// TestRouteBuckets: a plan's limits for routes have buckets of their own.
func TestRouteBuckets(t *testing.T) {
	s := throttle.For(route("GET /"), open(t, nil))
	m, n := limit("petstore/v1/GET /pets", 1, 4), limit("petstore/v2/GET /pets", 1, 4)
	for _, tc := range []struct {
		name    string
		methods map[string]*snapshot.Limit
		passes  int
	}{
		{"key", nil, 3},
		{"route", map[string]*snapshot.Limit{"GET /pets": &m}, 4},
		{"another stage's", map[string]*snapshot.Limit{"GET /pets": &n}, 4},
		{"key again", nil, 0},
		{"route again", map[string]*snapshot.Limit{"GET /pets": &m}, 0},
	} {
		if got := passes(s, alice(snapshot.Plan{Limit: each(1, 3)}, tc.methods), noon, 9); got != tc.passes {
			t.Errorf("%s: %d passed, want %d", tc.name, got, tc.passes)
		}
	}
}

// TestSweepWaitsForSave: a counter that is not saved yet is not dropped.
func TestSweepWaitsForSave(t *testing.T) {
	m := &memory{}
	l := open(t, m)
	passes(throttle.For(route("GET /"), l), planUse(&snapshot.Quota{Limit: 3}), noon, 1)
	l.Sweep(noon.AddDate(0, 0, 9))
	if n := l.Stats().Counters; n != 1 {
		t.Errorf("%d counters before the save, want 1", n)
	}
	flush(t, l)
	l.Sweep(noon.AddDate(0, 0, 9))
	if n := l.Stats().Counters; n != 0 {
		t.Errorf("%d counters after the save, want 0", n)
	}
}

// TestSweepLetsGo: after a sweep the ledger keeps nothing of a snapshot.
func TestSweepLetsGo(t *testing.T) {
	l := open(t, nil)
	known := func() weak.Pointer[snapshot.PlanUse] {
		use := planUse(&snapshot.Quota{Limit: 3})
		passes(throttle.For(route("GET /"), l), use, noon, 1)
		return weak.Make(use.PlanUse)
	}()
	l.Sweep(noon)
	runtime.GC()
	if known.Value() != nil {
		t.Error("the ledger keeps a plan use")
	}
	runtime.KeepAlive(l)
}

func TestManyPlans(t *testing.T) {
	s := throttle.For(route("GET /"), open(t, nil))
	for i := range 40 {
		use := planUse(&snapshot.Quota{Period: snapshot.Week})
		use.Plan.ID = strings.Repeat("p", i+1)
		for range 2 {
			var f *fault.Error
			if err := do(s, use, noon); !errors.As(err, &f) || !strings.HasPrefix(f.Reason, "Key quota exhausted") {
				t.Errorf("plan %d: %v", i, err)
			} else if !strings.Contains(f.Reason, "Plan ID "+use.Plan.ID+".") {
				t.Errorf("plan %d got the reason %q", i, f.Reason)
			}
		}
	}
}

// TestManyKeys: keys keep their buckets and counters to themselves while the ledger's tables grow and are emptied.
func TestManyKeys(t *testing.T) {
	const keys, quota = 3000, 5
	l := open(t, nil)
	s := throttle.For(route("GET /"), l)
	uses := callers(keys, freePlan(quota, 1, 10))
	passed := make([]atomic.Int64, keys)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2 * quota {
				for i, use := range uses {
					if do(s, use, noon) == nil {
						passed[i].Add(1)
					}
				}
				l.Sweep(noon)
			}
		})
	}
	wg.Wait()
	for i := range passed {
		if n := passed[i].Load(); n != quota {
			t.Fatalf("%d requests of key %d passed, want %d", n, i, quota)
		}
	}
}
