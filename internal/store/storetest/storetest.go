// Package storetest is the suite that every implementation of store.Store passes.
//
// It holds the words of store's contract to the letter, through the public door only. Tests alone import it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/store"
)

// Run runs the suite. Each call of open gives a new, empty store, closed by the suite; open fails the test when it cannot.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, tc := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"documents", testDocuments},
		{"names", testNames},
		{"list", testList},
		{"all or nothing", testAllOrNothing},
		{"a view cannot write", testReadOnly},
		{"a transaction ends", testDone},
		{"a view sees one state", testOneState},
		{"updates are one after another", testSerial},
		{"context", testContext},
		{"shelf", testShelf},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t)
			tc.test(t, s)
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := s.View(t.Context(), func(store.Tx) error { return nil }); err == nil {
				t.Error("a closed store can be viewed")
			}
		})
	}
}

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// read gives a document, or "-" for none.
func read(tx store.Tx, kind, key string) string {
	doc, err := tx.Get(kind, key)
	if errors.Is(err, store.ErrNotFound) {
		return "-"
	}
	if err != nil {
		return "error: " + err.Error()
	}
	return string(doc)
}

func expect(t *testing.T, tx store.Tx, kind, key, want string) {
	t.Helper()
	if got := read(tx, kind, key); got != want {
		t.Errorf("%s %q is %q, want %q", kind, key, got, want)
	}
}

func testDocuments(t *testing.T, s store.Store) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	large := strings.Repeat("0123456789abcdef", 1<<16)
	update(t, s, func(tx store.Tx) error {
		expect(t, tx, "api", "a", "-")
		mine := []byte("one")
		err := tx.Put("api", "a", mine)
		copy(mine, "ZZZ") // the store must not look at it again
		return errors.Join(err,
			tx.Put("stage", "a", []byte("of another kind")),
			tx.Put("api", "bytes", all), tx.Put("api", "large", []byte(large)),
			tx.Put("api", "empty", []byte{}), tx.Put("api", "nil", nil),
			tx.Put("api", "gone", []byte("x")), tx.Delete("api", "gone"), tx.Delete("api", "never was"))
	})
	view(t, s, func(tx store.Tx) error {
		for key, want := range map[string]string{
			"a": "one", "bytes": string(all), "large": large, "empty": "", "nil": "", "gone": "-", "A": "-", "a ": "-",
		} {
			expect(t, tx, "api", key, want)
		}
		expect(t, tx, "stage", "a", "of another kind")
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		err := errors.Join(tx.Put("api", "a", []byte("two")), tx.Delete("stage", "a"))
		expect(t, tx, "api", "a", "two")
		expect(t, tx, "stage", "a", "-")
		return err
	})
	view(t, s, func(tx store.Tx) error {
		expect(t, tx, "api", "a", "two")
		expect(t, tx, "stage", "a", "-")
		return nil
	})
}

func testNames(t *testing.T, s store.Store) {
	longest := strings.Repeat("k", store.MaxName)
	for _, tc := range []struct {
		name, kind, key string
		ok              bool
	}{
		{"longest", "api", longest, true},
		{"any text", "api", "é/%_*?'\"\\ \n\U0010ffff", true},
		{"empty key", "api", "", false},
		{"empty kind", "", "a", false},
		{"too long", "api", longest + "k", false},
		{"NUL", "api", "a\x00b", false},
		{"no UTF-8", "api", "a\xff", false},
		{"kind with NUL", "a\x00", "a", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(tc.kind, tc.key, []byte("doc")) })
			if (err == nil) != tc.ok {
				t.Fatalf("put: %v, want success %t", err, tc.ok)
			}
			view(t, s, func(tx store.Tx) error {
				doc, err := tx.Get(tc.kind, tc.key)
				if (err == nil) != tc.ok || errors.Is(err, store.ErrNotFound) {
					t.Errorf("get: %q, %v, want success %t", doc, err, tc.ok)
				}
				return nil
			})
		})
	}
}

func testList(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		var errs []error
		for _, key := range []string{"b", "a/2", "a", "a/1", "a/10", "aé", "B", "a%", "ab", "a_"} {
			errs = append(errs, tx.Put("api", key, []byte("doc "+key)))
		}
		errs = append(errs, tx.Put("apiX", "a/3", nil), tx.Put("ap", "a/4", nil))
		for _, prefix := range []struct {
			name string
			want []string
		}{
			{"", []string{"B", "a", "a%", "a/1", "a/10", "a/2", "a_", "ab", "aé", "b"}},
			{"a/", []string{"a/1", "a/10", "a/2"}},
			{"a/1", []string{"a/1", "a/10"}},
			{"a%", []string{"a%"}},
			{"a_", []string{"a_"}},
			{"c", nil},
		} {
			var got []string
			errs = append(errs, tx.List("api", prefix.name, func(key string, doc []byte) error {
				got = append(got, key)
				if string(doc) != "doc "+key {
					t.Errorf("%q came with %q", key, doc)
				}
				return nil
			}))
			if diff := cmp.Diff(prefix.want, got); diff != "" {
				t.Errorf("prefix %q (-want +got):\n%s", prefix.name, diff)
			}
		}
		return errors.Join(errs...)
	})
	view(t, s, func(tx store.Tx) error {
		calls := 0
		stop := errors.New("stop")
		if err := tx.List("api", "", func(string, []byte) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
			t.Errorf("stopped after %d calls with %v", calls, err)
		}
		err := tx.List("api", "a/1", func(key string, _ []byte) error {
			_, err := tx.Get("api", key)
			return err
		})
		if !errors.Is(err, store.ErrListing) {
			t.Errorf("use within List: %v, want %v", err, store.ErrListing)
		}
		expect(t, tx, "api", "a", "doc a") // and it is free again
		return nil
	})
}

func testAllOrNothing(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error { return tx.Put("api", "a", []byte("before")) })
	broken := errors.New("broken")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put("api", "a", []byte("after")), tx.Put("api", "b", nil), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the function's error", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			_ = tx.Put("api", "a", []byte("after"))
			panic("in the middle")
		})
	}()
	view(t, s, func(tx store.Tx) error {
		expect(t, tx, "api", "a", "before")
		expect(t, tx, "api", "b", "-")
		return nil
	})
}

func testReadOnly(t *testing.T, s store.Store) {
	view(t, s, func(tx store.Tx) error {
		if err := tx.Put("api", "a", nil); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("put: %v", err)
		}
		if err := tx.Delete("api", "a"); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("delete: %v", err)
		}
		return nil
	})
}

func testDone(t *testing.T, s store.Store) {
	var kept store.Tx
	update(t, s, func(tx store.Tx) error { kept = tx; return nil })
	if err := kept.Put("api", "a", nil); !errors.Is(err, store.ErrDone) {
		t.Errorf("put after the end: %v", err)
	}
	if _, err := kept.Get("api", "a"); !errors.Is(err, store.ErrDone) {
		t.Errorf("get after the end: %v", err)
	}
}

func testOneState(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error { return tx.Put("api", "a", []byte("1")) })
	view(t, s, func(tx store.Tx) error {
		expect(t, tx, "api", "a", "1")
		update(t, s, func(tx store.Tx) error { return errors.Join(tx.Put("api", "a", []byte("2")), tx.Put("api", "b", nil)) })
		expect(t, tx, "api", "a", "1")
		expect(t, tx, "api", "b", "-")
		return nil
	})
	view(t, s, func(tx store.Tx) error { expect(t, tx, "api", "a", "2"); return nil })
}

func testSerial(t *testing.T, s store.Store) {
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				if err := s.Update(t.Context(), increment); err != nil {
					t.Errorf("update: %v", err)
				}
				if err := s.View(t.Context(), func(tx store.Tx) error { _, err := tx.Get("n", "n"); return err }); err != nil {
					t.Errorf("view: %v", err)
				}
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx store.Tx) error { expect(t, tx, "n", "n", fmt.Sprint(writers*each)); return nil })
}

func increment(tx store.Tx) error {
	n := 0
	doc, err := tx.Get("n", "n")
	if err == nil {
		_, err = fmt.Sscan(string(doc), &n)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return tx.Put("n", "n", fmt.Append(nil, n+1))
}

func testContext(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		err := tx.Put("api", "a", []byte("x"))
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("update whose context ended before the commit: %v", err)
	}
	if err := s.View(ctx, func(store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("view with an ended context: %v", err)
	}
	view(t, s, func(tx store.Tx) error { expect(t, tx, "api", "a", "-"); return nil })

	// A writer that waits for another one gives up when its context ends.
	update(t, s, func(store.Tx) error {
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := s.Update(short, func(store.Tx) error { return nil }); err == nil {
			t.Error("two updates at once")
		}
		return nil
	})
}

func testShelf(t *testing.T, s store.Store) {
	shelf := store.NewShelf(s, "counter")
	save := func(gone []string, docs ...string) error {
		return shelf.Save(t.Context(), gone, func(yield func(string, []byte) bool) {
			for _, d := range docs {
				key, _, _ := strings.Cut(d, "=")
				if !yield(key, []byte(d)) {
					return
				}
			}
		})
	}
	if err := errors.Join(save(nil, "a=1", "b=1", "c=1"), save([]string{"a", "c", "d"}, "c=2", "e=2")); err != nil {
		t.Fatal(err)
	}
	if err := save([]string{"b"}, "b=3", ""); err == nil {
		t.Error("a document without a key was saved")
	}
	var got []string
	load := func(_ string, doc []byte) error { got = append(got, string(doc)); return nil }
	if err := shelf.Load(t.Context(), load); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b=1", "c=2", "e=2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
