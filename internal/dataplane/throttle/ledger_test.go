package throttle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"gatehouse/internal/dataplane/throttle"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// childDir names the directory in which this test binary, run as a child, counts until it is killed.
const childDir = "GATEHOUSE_TEST_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		countUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// memory is a keeper whose saves can be made to fail.
type memory struct {
	mu    sync.Mutex
	docs  map[string]string
	saves [][]string // "-id" for gone, "id" for changed
	fail  error
}

func (m *memory) Load(_ context.Context, fn func(string, []byte) error) error {
	for id, doc := range m.docs {
		if err := fn(id, []byte(doc)); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Save(_ context.Context, gone []string, changed iter.Seq2[string, []byte]) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		for range changed { // it fails in the middle
			break
		}
		return m.fail
	}
	var ids []string
	for _, id := range gone {
		delete(m.docs, id)
		ids = append(ids, "-"+id)
	}
	for id, doc := range changed {
		if m.docs == nil {
			m.docs = map[string]string{}
		}
		m.docs[id] = string(doc)
		ids = append(ids, id)
	}
	m.saves = append(m.saves, ids)
	return nil
}

func flush(t *testing.T, l *throttle.Ledger) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSavesWhatChanged(t *testing.T) {
	m := &memory{}
	l := open(t, m)
	s := throttle.For(route("GET /"), l)
	use := func(id string, limit, offset int64) *caller {
		u := planUse(&snapshot.Quota{Limit: limit, Offset: offset, Period: snapshot.Day})
		u.ID = id
		return u
	}
	flush(t, l)
	passes(s, use("a", 3, 0), noon, 2)
	flush(t, l)
	flush(t, l)
	passes(s, use("a", 3, 0), noon, 2)
	passes(s, use("b", 0, 0), noon, 1) // refused, but seen
	flush(t, l)
	passes(s, use("a", 3, 0), noon, 2)
	passes(s, use("b", 0, 0), noon, 1)
	flush(t, l)
	passes(s, use("b", 0, 1), noon, 1) // with an offset
	flush(t, l)
	next := noon.AddDate(0, 0, 2)
	l.Sweep(next)
	passes(s, use("a", 3, 0), next, 1) // gone, and here again
	flush(t, l)
	want := [][]string{{"free/a"}, {"free/a", "free/b"}, {"free/b"}, {"-free/a", "free/a"}}
	if diff := cmp.Diff(want, m.saves); diff != "" {
		t.Errorf("saves (-want +got):\n%s", diff)
	}
	docs := map[string]string{
		"free/a": `{"period":"DAY","index":20777,"used":1,"firstPeriod":"DAY","firstIndex":20777,"offset":false}`,
		"free/b": `{"period":"DAY","index":20775,"used":0,"firstPeriod":"DAY","firstIndex":20775,"offset":true}`,
	}
	if diff := cmp.Diff(docs, m.docs); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func shelf(t *testing.T, dir string) *store.Shelf {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return store.NewShelf(s, "quotaCounter")
}

func TestRestart(t *testing.T) {
	k := shelf(t, t.TempDir())
	quota := func(p snapshot.Period) *caller {
		use := planUse(&snapshot.Quota{Limit: 10, Offset: 3, Period: p})
		use.ID = p.String()
		return use
	}
	for _, tc := range []struct {
		at   time.Time
		want map[snapshot.Period]int // of 3 requests each
	}{
		{noon, map[snapshot.Period]int{snapshot.Day: 3, snapshot.Week: 3, snapshot.Month: 3}},
		{noon, map[snapshot.Period]int{snapshot.Day: 3, snapshot.Week: 3, snapshot.Month: 3}},
		{noon, map[snapshot.Period]int{snapshot.Day: 1, snapshot.Week: 1, snapshot.Month: 1}},
		{noon.AddDate(0, 0, 1), map[snapshot.Period]int{snapshot.Day: 3, snapshot.Week: 0, snapshot.Month: 0}},
		{noon.AddDate(0, 0, 7), map[snapshot.Period]int{snapshot.Day: 3, snapshot.Week: 3, snapshot.Month: 0}},
		{noon.AddDate(0, 1, 0), map[snapshot.Period]int{snapshot.Day: 3, snapshot.Week: 3, snapshot.Month: 3}},
	} {
		l := open(t, k)
		s := throttle.For(route("GET /"), l)
		for p, want := range tc.want {
			if got := passes(s, quota(p), tc.at, 3); got != want {
				t.Errorf("%v, %v: %d passed, want %d", tc.at, p, got, want)
			}
		}
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInBackground: the ledger saves by itself.
func TestInBackground(t *testing.T) {
	m := &memory{}
	l, err := throttle.Open(t.Context(), throttle.Config{Keeper: m, Now: time.Now, SaveEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(t.Context()) }()
	passes(throttle.For(route("GET /"), l), planUse(&snapshot.Quota{Limit: 3}), noon, 1)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		n := len(m.saves)
		m.mu.Unlock()
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was saved")
		}
	}
}

// TestSaveRace: saves go on while requests count, and the last one has everything.
func TestSaveRace(t *testing.T) {
	k := shelf(t, t.TempDir())
	l, err := throttle.Open(t.Context(), throttle.Config{Keeper: k, Now: time.Now, SaveEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s := throttle.For(route("GET /"), l)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				use := planUse(&snapshot.Quota{Limit: 1 << 30, Period: snapshot.Month})
				use.ID = strconv.Itoa(i % 20)
				if err := do(s, use, noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = k.Load(t.Context(), func(id string, doc []byte) error {
		n++
		if !strings.Contains(string(doc), `"used":400,`) {
			t.Errorf("counter %s is %s, want 400 used", id, doc)
		}
		return nil
	})
	if err != nil || n != 20 {
		t.Errorf("%d counters, %v", n, err)
	}
}

// slow is a keeper that takes its time.
type slow struct {
	memory
	takes time.Duration
	began []time.Time
}

func (s *slow) Save(ctx context.Context, gone []string, changed iter.Seq2[string, []byte]) error {
	s.began = append(s.began, time.Now())
	time.Sleep(s.takes)
	return s.memory.Save(ctx, gone, changed)
}

// TestPause: the longer a save takes, the longer is the pause after it.
func TestPause(t *testing.T) {
	for _, tc := range []struct {
		name                string
		every, takes, pause time.Duration
	}{
		{"quick", 0, time.Millisecond, time.Second},
		{"not so quick", 0, 40 * time.Millisecond, 2 * time.Second},
		{"slow", 0, time.Second, 10 * time.Second},
		{"seldom", time.Minute, time.Second, time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &slow{takes: tc.takes}
				l, err := throttle.Open(t.Context(), throttle.Config{Keeper: k, Now: time.Now, SaveEvery: tc.every})
				if err != nil {
					t.Fatal(err)
				}
				s := throttle.For(route("GET /"), l)
				use := planUse(&snapshot.Quota{Limit: 1 << 30})
				for range 2000 {
					passes(s, use, time.Now(), 1)
					time.Sleep(100 * time.Millisecond)
				}
				if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
				for i := range k.began[2:] {
					if got := k.began[i+1].Sub(k.began[i]) - tc.takes; got != tc.pause {
						t.Fatalf("pause %d is %v, want %v", i, got, tc.pause)
					}
				}
			})
		})
	}
}

func TestFailingKeeper(t *testing.T) {
	m := &memory{fail: errors.New("disk full")}
	var log bytes.Buffer
	now := noon
	l, err := throttle.Open(t.Context(), throttle.Config{
		Keeper: m, SaveEvery: time.Hour, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := throttle.For(route("GET /"), l)
	use := planUse(&snapshot.Quota{Limit: 5, Period: snapshot.Day})
	for i := range 100 {
		if i < 5 {
			if err := do(s, use, now); err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
		if err := l.Flush(t.Context()); !errors.Is(err, m.fail) || !errors.Is(l.Failing(), m.fail) {
			t.Fatalf("save %d: %v, failing: %v", i, err, l.Failing())
		}
		now = now.Add(time.Second)
	}
	if do(s, use, now) == nil {
		t.Error("a request over the quota passed")
	}
	if n := strings.Count(log.String(), "disk full"); n != 2 || l.Stats().SaveFailures != 100 {
		t.Errorf("%d log lines in 100 seconds, want 2; stats %+v", n, l.Stats())
	}
	m.fail = nil
	flush(t, l)
	if l.Failing() != nil || !strings.Contains(log.String(), "saved again") || !strings.Contains(m.docs["free/alice"], `"used":5,`) {
		t.Errorf("after healing: failing %v, documents %v, log\n%s", l.Failing(), m.docs, &log)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUnreadable(t *testing.T) {
	good := `{"period":"DAY","index":20775,"used":2,"firstPeriod":"DAY","firstIndex":20775,"offset":true}`
	for _, tc := range []struct {
		name, old, new string
		ok             bool
	}{
		{"good", "", "", true},
		{"no period", `DAY","index`, `YEAR","index`, false},
		{"no first period", `"DAY","firstIndex"`, `"","firstIndex"`, false},
		{"index", "20775", "-1", false},
		{"large index", "20775", "4194304", false},
		{"negative", ":2,", ":-2,", false},
		{"more than is counted", ":2,", ":1099511627776,", false},
		{"unknown member", "used", "uses", false},
		{"cut short", "true}", "", false},
		{"two", "true}", "true}{}", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := &memory{docs: map[string]string{"plan/key": strings.Replace(good, tc.old, tc.new, 1)}}
			l, err := throttle.Open(t.Context(), throttle.Config{Keeper: m, Now: time.Now})
			if (err == nil) != tc.ok || err != nil && !strings.Contains(err.Error(), `"plan/key"`) {
				t.Errorf("got %v, want success %t", err, tc.ok)
			}
			if err == nil {
				_ = l.Close(t.Context())
			}
		})
	}
	if _, err := throttle.Open(t.Context(), throttle.Config{}); err == nil {
		t.Error("a ledger without a clock opened")
	}
}

// FuzzLoad: a counter that can be read goes on counting, and is saved so that it can be read again.
func FuzzLoad(f *testing.F) {
	f.Add(`{"period":"DAY","index":20775,"used":2,"firstPeriod":"DAY","firstIndex":20775,"offset":true}`)
	f.Add(`{"period":"MONTH","index":682,"used":1099511627775,"firstPeriod":"WEEK","firstIndex":0,"offset":false}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, doc string) {
		m := &memory{docs: map[string]string{"free/alice": doc}}
		l, err := throttle.Open(t.Context(), throttle.Config{Keeper: m, Now: func() time.Time { return noon }})
		if err != nil {
			return
		}
		use := planUse(&snapshot.Quota{Limit: 1 << 50, Period: snapshot.Day})
		_ = do(throttle.For(route("GET /"), l), use, noon)
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := throttle.Open(t.Context(), throttle.Config{Keeper: m, Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatalf("%s became %s: %v", doc, m.docs["free/alice"], err)
		}
		_ = again.Close(t.Context())
	})
}

// TestKilled kills a process that counts and saves without a pause, so in the middle of a save: what it had said was saved
// is there afterwards, and no more than it had counted.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for round := range 4 {
		saved, counted := runAndKill(t, dir, time.Duration(30+13*round)*time.Millisecond)
		s, err := sqlite.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		l := open(t, store.NewShelf(s, "quotaCounter"))
		left := int64(passes(throttle.For(route("GET /"), l), childUse(), noon, childLimit+1))
		if used := childLimit - left; used < saved || used > counted || saved == 0 {
			t.Errorf("round %d: %d are kept; %d had been saved and %d counted", round, used, saved, counted)
		}
		// The next round begins anew.
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete("quotaCounter", "free/alice") }); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
}

const childLimit = 1 << 17

func childUse() *caller {
	return planUse(&snapshot.Quota{Limit: childLimit, Period: snapshot.Day})
}

// runAndKill gives the last number that the child said was saved, and the last one that it can have counted.
func runAndKill(t *testing.T, dir string, after time.Duration) (saved, counted int64) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if b, _ := os.ReadFile(out.Name()); bytes.Contains(b, []byte("saved")) {
			break
		}
	}
	time.Sleep(after)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	said, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	whole := said[:bytes.LastIndexByte(said, '\n')+1]
	for line := range strings.Lines(string(whole)) {
		var n int64
		if _, err := fmt.Sscanf(line, "saved %d", &n); err == nil {
			saved = n
		} else if _, err := fmt.Sscanf(line, "counting to %d", &n); err == nil {
			counted = n
		}
	}
	return saved, counted
}

func countUntilKilled(dir string) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	l, err := throttle.Open(ctx, throttle.Config{
		Keeper: store.NewShelf(s, "quotaCounter"), Now: time.Now, SaveEvery: time.Millisecond,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	step := throttle.For(route("GET /"), l)
	var counted atomic.Int64
	for {
		fmt.Println("counting to", counted.Load()+10)
		counted.Add(int64(passes(step, childUse(), noon, 10)))
		n := counted.Load()
		if err := l.Flush(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("saved", n)
	}
}
