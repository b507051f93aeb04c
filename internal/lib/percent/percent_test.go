package percent_test

import (
	"bytes"
	"testing"

	"gatehouse/internal/lib/percent"
)

func TestAppendDecoded(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
		plus           bool
	}{
		{"plain", "abc", "abc", false},
		{"upper and lower hex", "%2F%2f", "//", false},
		{"cut short", "a%2", "a%2", false},
		{"no hex", "%zz%", "%zz%", false},
		{"plus stays", "a+b", "a+b", false},
		{"plus of a form", "a+b%2B", "a b+", true},
		{"any byte", "%00%ff", "\x00\xff", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string(percent.AppendDecoded(nil, []byte(tc.in), tc.plus)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAppendEncoded(t *testing.T) {
	if got := string(percent.AppendQuery([]byte("x="), []byte("a b&c=d/é"))); got != "x=a%20b%26c%3Dd%2F%C3%A9" {
		t.Errorf("query: %q", got)
	}
	if got := string(percent.AppendSegment(nil, []byte("a/b c@d"))); got != "a%2Fb%20c@d" {
		t.Errorf("segment: %q", got)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("a%2/ b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := percent.AppendDecoded(nil, percent.AppendQuery(nil, b), true); !bytes.Equal(got, b) {
			t.Errorf("query: %q came back as %q", b, got)
		}
		if got := percent.AppendDecoded(nil, percent.AppendSegment(nil, b), false); !bytes.Equal(got, b) {
			t.Errorf("segment: %q came back as %q", b, got)
		}
	})
}

func TestHasDots(t *testing.T) {
	for path, want := range map[string]bool{
		"/a/../b": true, "/a/..": true, "/.": true, "/%2e%2E/": true, "/a%2f..": true, "/a%5C.%2F": true, "/a\\..\\b": true, "/..;x/": true,
		"/": false, "/a.b": false, "/...": false, "/..a": false, "/a..": false, "/a/..b/": false, "": false, "..": false,
	} {
		if got := percent.HasDots([]byte(path)); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}
