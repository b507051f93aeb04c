package snapshot_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"gatehouse/internal/snapshot"
)

func digestOf(i int) snapshot.Digest { return sha256.Sum256(fmt.Append(nil, i)) }

// keysOf makes the keys 0 to n-1 in random order.
func keysOf(n int) *snapshot.Keys {
	keys := make([]snapshot.Key, n)
	for i, j := range rand.Perm(n) {
		keys[i] = snapshot.Key{ID: fmt.Sprint("key ", j), Digest: digestOf(j), Index: uint32(j)}
	}
	return snapshot.NewKeys(keys)
}

func TestFind(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 7, 8, 100, 5000} {
		keys := keysOf(n)
		if keys.Len() != n {
			t.Errorf("%d keys: Len is %d", n, keys.Len())
		}
		for i := range n {
			d := digestOf(i)
			if k := keys.Find(&d); k == nil || k.ID != fmt.Sprint("key ", i) || k.Digest != d || k.Index != uint32(i) {
				t.Fatalf("%d keys: key %d is %+v", n, i, k)
			}
		}
		for i := range 5000 {
			d := digestOf(n + i)
			if k := keys.Find(&d); k != nil {
				t.Fatalf("%d keys: found %+v for another digest", n, k)
			}
		}
	}
}

// TestFindAlike: digests of chosen bits, as those of SHA-256 never are, are told apart by their last one.
func TestFindAlike(t *testing.T) {
	var digests []snapshot.Digest
	for _, first := range []byte{0, 1, 0x7f, 0x80, 0xff} {
		for last := range 6 {
			var d snapshot.Digest
			for i := range 16 {
				d[i] = first
			}
			d[31] = byte(last)
			digests = append(digests, d)
		}
	}
	var keys []snapshot.Key
	for i, d := range digests {
		if i%2 == 0 {
			keys = append(keys, snapshot.Key{ID: fmt.Sprint(i), Digest: d})
		}
	}
	found := snapshot.NewKeys(keys)
	for i, d := range digests {
		k := found.Find(&d)
		if i%2 == 1 && k != nil || i%2 == 0 && (k == nil || k.ID != fmt.Sprint(i)) {
			t.Errorf("digest %d has the key %+v", i, k)
		}
	}
}

func TestNoKeys(t *testing.T) {
	var none *snapshot.Keys
	if d := digestOf(0); none.Len() != 0 || none.Find(&d) != nil {
		t.Error("nil holds keys")
	}
}

// TestKeyIsACacheLine: Key's size is a promise that the speed with many keys rests on.
func TestKeyIsACacheLine(t *testing.T) {
	if n := unsafe.Sizeof(snapshot.Key{}); n != 64 {
		t.Errorf("a key has %d bytes", n)
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprint(n, " keys"), func(b *testing.B) {
			keys := keysOf(n)
			digests := make([]snapshot.Digest, n)
			for i, j := range rand.Perm(n) {
				digests[i] = digestOf(j)
			}
			i := 0
			for b.Loop() {
				if keys.Find(&digests[i]) == nil {
					b.Fatal("a key is not found")
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkNewKeys(b *testing.B) {
	keys := make([]snapshot.Key, 100_000)
	for b.Loop() {
		b.StopTimer()
		for i := range keys {
			keys[i] = snapshot.Key{ID: "k", Digest: digestOf(i)}
		}
		b.StartTimer()
		snapshot.NewKeys(keys)
	}
}
