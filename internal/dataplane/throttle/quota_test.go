package throttle_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/snapshot"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", s+" +0000")
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriods(t *testing.T) {
	for _, tc := range []struct {
		name         string
		period       snapshot.Period
		first, after string
		renewed      bool
	}{
		{"same day", snapshot.Day, "2026-11-18 00:00:00", "2026-11-18 23:59:59.999999999", false},
		{"next day", snapshot.Day, "2026-11-18 23:59:59.999999999", "2026-11-19 00:00:00", true},
		{"a leap day", snapshot.Day, "2028-02-28 23:59:59", "2028-02-29 00:00:00", true},
		{"next year's first day", snapshot.Day, "2026-12-31 23:59:59", "2027-01-01 00:00:00", true},
		{"same week", snapshot.Week, "2026-11-16 00:00:00", "2026-11-22 23:59:59.999999999", false},
		{"Monday", snapshot.Week, "2026-11-22 23:59:59.999999999", "2026-11-23 00:00:00", true},
		{"a week over the year's end", snapshot.Week, "2026-12-28 00:00:00", "2027-01-03 23:59:59", false},
		{"Monday of a new year", snapshot.Week, "2027-01-03 23:59:59", "2027-01-04 00:00:00", true},
		{"same month", snapshot.Month, "2026-11-01 00:00:00", "2026-11-30 23:59:59.999999999", false},
		{"next month", snapshot.Month, "2026-11-30 23:59:59.999999999", "2026-12-01 00:00:00", true},
		{"February", snapshot.Month, "2027-02-28 23:59:59", "2027-03-01 00:00:00", true},
		{"leap February", snapshot.Month, "2028-02-01 00:00:00", "2028-02-29 23:59:59", false},
		{"next year's first month", snapshot.Month, "2026-12-31 23:59:59", "2027-01-01 00:00:00", true},
		{"same month of next year", snapshot.Month, "2026-11-18 12:00:00", "2027-11-18 12:00:00", true},
		{"late from the day before", snapshot.Day, "2026-11-19 00:00:00", "2026-11-18 23:59:59", false},
		{"late from the year before", snapshot.Month, "2027-01-01 00:00:00", "2026-12-31 23:59:59", false},
		{"the clock was far ahead", snapshot.Day, "2028-01-01 00:00:00", "2026-11-18 12:00:00", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := throttle.For(route("GET /"), open(t, nil))
			use := planUse(&snapshot.Quota{Limit: 3, Period: tc.period})
			if got := passes(s, use, at(tc.first), 5); got != 3 {
				t.Fatalf("%d passed first, want 3", got)
			}
			want := 0
			if tc.renewed {
				want = 3
			}
			if got := passes(s, use, at(tc.after), 5); got != want {
				t.Errorf("%d passed after, want %d", got, want)
			}
		})
	}
}

// TestUTC: periods do not look at the time's zone.
func TestUTC(t *testing.T) {
	for _, p := range []snapshot.Period{snapshot.Day, snapshot.Week, snapshot.Month} {
		s := throttle.For(route("GET /"), open(t, nil))
		use := planUse(&snapshot.Quota{Limit: 3, Period: p})
		east := time.FixedZone("east", 14*60*60)
		passes(s, use, at("2027-02-28 23:59:59").In(east), 5) // a Sunday
		if got := passes(s, use, at("2027-03-01 00:00:00").In(east), 5); got != 3 {
			t.Errorf("%v: %d passed in the next period, want 3", p, got)
		}
	}
}

func TestOffset(t *testing.T) {
	l := open(t, nil)
	s := throttle.For(route("GET /"), l)
	use := planUse(&snapshot.Quota{Limit: 10, Offset: 4, Period: snapshot.Day})
	for day, want := range []int{6, 10, 10} {
		if got := passes(s, use, noon.AddDate(0, 0, day), 20); got != want {
			t.Errorf("day %d: %d passed, want %d", day, got, want)
		}
	}
	l.Sweep(noon.AddDate(1, 0, 0))
	if got := passes(s, use, noon.AddDate(1, 0, 0), 20); got != 10 {
		t.Errorf("a year later %d passed, want 10: the offset counted once", got)
	}
	l.Sweep(noon.AddDate(3, 0, 0))
	if got := passes(s, use, noon.AddDate(3, 0, 0), 20); got != 6 {
		t.Errorf("long forgotten, %d passed, want 6", got)
	}
	use = planUse(&snapshot.Quota{Limit: 3, Offset: 4, Period: snapshot.Day})
	use.ID = "another"
	if got := passes(s, use, noon, 20); got != 0 {
		t.Errorf("%d passed an offset over the limit", got)
	}
}

// TestPlanChanges: the count stays when a plan's limit changes, and begins anew with a period of another kind.
func TestPlanChanges(t *testing.T) {
	s := throttle.For(route("GET /"), open(t, nil))
	for _, tc := range []struct {
		name  string
		quota snapshot.Quota
		want  int
	}{
		{"first", snapshot.Quota{Limit: 3, Period: snapshot.Day}, 3},
		{"raised", snapshot.Quota{Limit: 5, Period: snapshot.Day}, 2},
		{"lowered", snapshot.Quota{Limit: 2, Period: snapshot.Day}, 0},
		{"week", snapshot.Quota{Limit: 4, Offset: 2, Period: snapshot.Week}, 4},
		{"month", snapshot.Quota{Limit: 4, Period: snapshot.Month}, 4},
	} {
		if got := passes(s, planUse(&tc.quota), noon, 20); got != tc.want {
			t.Errorf("%s: %d passed, want %d", tc.name, got, tc.want)
		}
	}
}

// TestRolloverRace: while requests of both sides of midnight mix, neither day lets more than its limit pass.
func TestRolloverRace(t *testing.T) {
	midnight := at("2026-11-19 00:00:00")
	for range 50 {
		s := throttle.For(route("GET /"), open(t, nil))
		use := planUse(&snapshot.Quota{Limit: 100, Period: snapshot.Day})
		var passed atomic.Int64
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				passed.Add(int64(passes(s, use, midnight.Add(-time.Second), 10*g)))
				passed.Add(int64(passes(s, use, midnight, 15)))
			})
		}
		wg.Wait()
		if n := passed.Load(); n < 100 || n > 200 {
			t.Fatalf("%d passed on two days of 100", n)
		}
		if n := passes(s, use, midnight, 1); n != 0 {
			t.Fatal("the new day has more than its limit")
		}
	}
}
