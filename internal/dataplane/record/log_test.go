package record_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/dataplane/record"
	"gatehouse/internal/snapshot"
	"gatehouse/internal/telemetry/metrics"
)

// filler records lines of 100 bytes, the line break included.
func filler(t *testing.T, log *record.Log) func(n int) {
	t.Helper()
	f := format(t, strings.Repeat("x", 96)+"$context.status", false)
	r := record.New(record.Config{Log: log, Metrics: metrics.New(metrics.Config{}), Format: f, Now: clock})
	step := r.All(&snapshot.Snapshot{})
	x := newExchange(nil)
	return func(n int) {
		for range n {
			do(t, step, x)
		}
	}
}

// safe is a buffer for the gateway's own log.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestHangingDiskDropsLines(t *testing.T) {
	release := make(chan struct{})
	out, own := &sink{hang: release}, &safe{}
	log := openLog(t, record.LogConfig{
		Output: out, Buffer: 80_000, Patience: 20 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(own, nil)),
	})
	write := filler(t, log)
	began := time.Now()
	write(10_000) // a million bytes
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("requests waited for the disk: %v", took)
	}
	s := log.Stats()
	if s.Dropped < 9_000 || s.Written != 0 {
		t.Errorf("%+v", s)
	}
	eventually(t, "a warning", func() bool { return strings.Contains(own.String(), "not keeping up") })
	if err := log.Close(); err == nil || !strings.Contains(err.Error(), "hangs") {
		t.Errorf("Close: %v", err)
	}
	close(release)
	eventually(t, "every line written or dropped", func() bool {
		s := log.Stats()
		return s.Written+s.Dropped == 10_000 && uint64(strings.Count(out.text(), "\n")) == s.Written
	})
	if n := strings.Count(own.String(), "not keeping up"); n != 1 {
		t.Errorf("%d warnings, want one a minute", n)
	}
}

func TestFailingDiskIsTriedAgain(t *testing.T) {
	out := &sink{part: 150, fail: errFull}
	log := openLog(t, record.LogConfig{Output: out})
	write := filler(t, log)
	write(3)
	eventually(t, "failures are seen", func() bool { s := log.Stats(); return s.Failures > 2 && s.Failing == errFull })
	out.set(func(s *sink) { s.fail = nil })
	eventually(t, "it heals", func() bool { s := log.Stats(); return s.Failing == nil && s.Written == 3 })
	write(1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat(strings.Repeat("x", 96)+"200\n", 4)
	if got := out.text(); got != want {
		t.Errorf("torn or lost lines:\n%s", got)
	}
}

func TestCloseTellsOfLostLines(t *testing.T) {
	log := openLog(t, record.LogConfig{Output: &sink{fail: errFull}, Flush: time.Hour})
	filler(t, log)(7)
	err := log.Close()
	if err == nil || !strings.Contains(err.Error(), "7 lines") || log.Stats().Dropped != 7 {
		t.Errorf("%v, %+v", err, log.Stats())
	}
	if err := log.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestCloseLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	log := openLog(t, record.LogConfig{File: path, Flush: time.Hour})
	write := filler(t, log)
	write(5_000)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	write(1)
	b, err := os.ReadFile(path)
	if err != nil || bytes.Count(b, []byte("\n")) != 5_000 {
		t.Errorf("%d lines, %v", bytes.Count(b, []byte("\n")), err)
	}
	if s := log.Stats(); s.Written != 5_000 || s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// TestWakesWhenHalfFull: a burst is written before the timer, and nothing is dropped of it.
func TestWakesWhenHalfFull(t *testing.T) {
	out := &sink{}
	log := openLog(t, record.LogConfig{Output: out, Buffer: 80_000, Flush: time.Hour})
	write := filler(t, log)
	write(190) // not yet half of a buffer
	if s := log.Stats(); s.Written != 0 {
		t.Errorf("%+v", s)
	}
	write(20)
	eventually(t, "written", func() bool { return log.Stats().Written >= 200 })
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "access.log"), filepath.Join(dir, "access.log.1")
	log := openLog(t, record.LogConfig{File: path})
	write := filler(t, log)
	stop, writers := make(chan struct{}), sync.WaitGroup{}
	written := 0
	writers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				write(10)
				written += 10
				time.Sleep(10 * time.Microsecond)
			}
		}
	})
	total := 0
	for range 5 {
		time.Sleep(3 * time.Millisecond)
		if err := os.Rename(path, old); err != nil {
			t.Fatal(err)
		}
		if err := log.Reopen(); err != nil {
			t.Fatal(err)
		}
		total += wholeLines(t, old) // complete as soon as Reopen returns
	}
	close(stop)
	writers.Wait()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	total += wholeLines(t, path)
	if s := log.Stats(); total != written || s.Dropped != 0 || s.Written != uint64(written) {
		t.Errorf("%d lines in the files, %d recorded, %+v", total, written, s)
	}
}

func wholeLines(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := bytes.Count(b, []byte("\n"))
	if len(b) != n*100 {
		t.Errorf("%s: %d bytes in %d lines: torn", path, len(b), n)
	}
	return n
}

func TestReopenThatFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log := openLog(t, record.LogConfig{File: filepath.Join(dir, "access.log")})
	if err := os.Rename(dir, dir+"2"); err != nil {
		t.Fatal(err)
	}
	if err := log.Reopen(); err == nil || !strings.Contains(err.Error(), "create the directory") {
		t.Errorf("Reopen: %v", err)
	}
	filler(t, log)(3)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if n := wholeLines(t, filepath.Join(dir+"2", "access.log")); n != 3 {
		t.Errorf("%d lines went on in the old file, want 3", n)
	}
}

func TestOpenLog(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct{ name, file, want string }{
		{"no name", "", "no file given"},
		{"no directory", filepath.Join(dir, "none", "a.log"), "create the directory"},
		{"a directory", dir, "is a directory"},
		{"off", "off", ""},
		{"stdout", "stdout", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := record.OpenLog(record.LogConfig{File: tc.file})
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("%v, want %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tc.file == "off" {
				filler(t, l)(3)
			}
			if err := l.Reopen(); err != nil {
				t.Error(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if s := l.Stats(); s != (record.LogStats{}) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestReopenHeals: lines that a full disk did not take are in the file that Reopen found elsewhere.
func TestReopenHeals(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Skip(err)
	}
	log := openLog(t, record.LogConfig{File: path})
	filler(t, log)(3)
	eventually(t, "the disk is full", func() bool { return log.Stats().Failing != nil })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := log.Reopen(); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if n := wholeLines(t, path); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
}

func TestReopenWhileIdle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	log := openLog(t, record.LogConfig{File: path, Patience: time.Second})
	for range 3 {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := log.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	if n := wholeLines(t, path); n != 0 {
		t.Errorf("%d lines", n)
	}
}

// TestCloseAfterFailure: both what could not be written before and what has come since are written at the end.
func TestCloseAfterFailure(t *testing.T) {
	out := &sink{fail: errFull}
	log := openLog(t, record.LogConfig{Output: out, Buffer: 80_000, Flush: time.Hour})
	write := filler(t, log)
	write(200) // half a buffer: wakes the writer
	eventually(t, "a failure", func() bool { return log.Stats().Failing != nil })
	write(5)
	out.set(func(s *sink) { s.fail = nil })
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.text(), "\n"); n != 205 {
		t.Errorf("%d lines, want 205", n)
	}
}
