package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
	"gatehouse/internal/store/storetest"
)

// childDir names the directory that this test binary, run as a child, writes to until it is killed.
const childDir = "GATEHOUSE_TEST_STORE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func open(t *testing.T, dir string) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "100% ?#data"))
	})
}

func put(t *testing.T, s store.Store, key string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put("k", key, []byte("doc")) }); err != nil {
		t.Fatal(err)
	}
}

func TestKeepsOverRestart(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		s := open(t, dir)
		put(t, s, strconv.Itoa(i))
		n := 0
		err := s.View(t.Context(), func(tx store.Tx) error {
			return tx.List("k", "", func(string, []byte) error { n++; return nil })
		})
		if err != nil || n != i+1 {
			t.Errorf("start %d sees %d documents, %v", i, n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*-wal")); left != nil {
		t.Errorf("closing left %v", left)
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	defer func() { _ = s.Close() }()
	put(t, s, "x")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "x")
	if _, err := sqlite.Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "another Gatehouse") {
		t.Errorf("second start: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

// TestRefused: what is not ours, or not whole, is refused with what to do, and not one byte of it changes.
func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"empty file", func(t *testing.T, path string) { write(t, path, nil) }, "not an SQLite file"},
		{"text", func(t *testing.T, path string) { write(t, path, []byte("hello")) }, "move it away"},
		{"other program's", func(t *testing.T, path string) {
			execSQL(t, path, "CREATE TABLE bookmarks (url TEXT)")
		}, "another program"},
		{"damaged beginning", func(t *testing.T, path string) { ours(t, path); damage(t, path, 0, 100) }, "backup"},
		{"damaged page", func(t *testing.T, path string) { ours(t, path); damage(t, path, 8192, 3000) }, "backup"},
		{"cut short", func(t *testing.T, path string) {
			ours(t, path)
			if err := os.Truncate(path, 4096+100); err != nil {
				t.Fatal(err)
			}
		}, "backup"},
		{"newer", func(t *testing.T, path string) {
			ours(t, path)
			execSQL(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		}, "newer Gatehouse"},
		{"changes without their file", func(t *testing.T, path string) { write(t, path+"-wal", []byte("x")) }, "put the file back"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "gatehouse.db")
			tc.make(t, path)
			before, _ := os.ReadFile(path)
			s, err := sqlite.Open(t.Context(), dir)
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %q, want the path and %q", err, tc.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ours makes a whole file with some pages.
func ours(t *testing.T, path string) {
	t.Helper()
	s := open(t, filepath.Dir(path))
	for i := range 20 {
		put(t, s, strings.Repeat("key", 200)+strconv.Itoa(i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func damage(t *testing.T, path string, at int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, n), at); err != nil {
		t.Fatal(err)
	}
}

func execSQL(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// TestStartAfterHalfCreation: what a start that died left behind is no obstacle.
func TestStartAfterHalfCreation(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "gatehouse.db.new"), []byte("half"))
	write(t, filepath.Join(dir, "gatehouse.db.new-journal"), []byte("half"))
	if err := open(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

// TestKilled kills a writer in the middle of its updates, several times: every update is there whole or not at all, and
// those that had returned are there.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	last := 0
	for round := range 5 {
		known := runAndKill(t, dir, time.Duration(20+17*round)*time.Millisecond)
		s := open(t, dir)
		counts := map[string]int{}
		err := s.View(t.Context(), func(tx store.Tx) error {
			return tx.List("n", "", func(_ string, doc []byte) error { counts[string(doc)]++; return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(counts) > 1 {
			t.Errorf("half an update: %v", counts)
		}
		for doc := range counts {
			last, _ = strconv.Atoi(doc)
		}
		if last < known {
			t.Errorf("update %d had returned, the store has %d", known, last)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last == 0 {
		t.Error("nothing was ever written")
	}
}

// runAndKill gives the last update that the child said was done.
func runAndKill(t *testing.T, dir string, after time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if info, err := out.Stat(); err == nil && info.Size() > 0 {
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
	lines := strings.Split(string(said), "\n")
	if len(lines) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(lines[len(lines)-2])
	return n
}

func writeUntilKilled(dir string) {
	s, err := sqlite.Open(context.Background(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for n := first(s); ; n++ {
		err := s.Update(context.Background(), func(tx store.Tx) error {
			var errs []error
			for i := range 200 {
				errs = append(errs, tx.Put("n", strconv.Itoa(i), []byte(strconv.Itoa(n))))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// first gives the number after the last one that is in the store.
func first(s store.Store) int {
	n := 0
	_ = s.View(context.Background(), func(tx store.Tx) error {
		doc, err := tx.Get("n", "0")
		if err == nil {
			n, _ = strconv.Atoi(string(doc))
		}
		return nil
	})
	return n + 1
}

func BenchmarkOpen(b *testing.B) {
	for _, tc := range []struct {
		name string
		docs int
	}{{"empty", 0}, {"100000 documents", 100_000}} {
		b.Run(tc.name, func(b *testing.B) {
			dir := b.TempDir()
			fill(b, dir, tc.docs)
			for b.Loop() {
				s, err := sqlite.Open(b.Context(), dir)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = s.Close()
				b.StartTimer()
			}
		})
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			dir := b.TempDir()
			s, err := sqlite.Open(b.Context(), dir)
			if err != nil {
				b.Fatal(err)
			}
			_ = s.Close()
		}
	})
}

func fill(b *testing.B, dir string, n int) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Update(b.Context(), putMany(n)); err != nil {
		b.Fatal(err)
	}
}

func putMany(n int) func(store.Tx) error {
	doc := []byte(`{"period":"DAY","index":20779,"used":12}`)
	return func(tx store.Tx) error {
		for i := range n {
			if err := tx.Put("counter", fmt.Sprintf("plan/free/key/%06d", i), doc); err != nil {
				return err
			}
		}
		return nil
	}
}

// BenchmarkUpdate writes n documents over in one transaction.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Update(b.Context(), putMany(n)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/doc")
		})
	}
}
