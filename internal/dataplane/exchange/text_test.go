package exchange_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/snapshot"
)

// TestEveryByteEverywhere holds each byte, at each place of values of many lengths, to what it becomes alone: values are
// looked at several bytes at once.
func TestEveryByteEverywhere(t *testing.T) {
	x := sample()
	message := snapshot.Text{{Source: snapshot.Context, Var: snapshot.CtxErrorMessage}}
	for e := exchange.Raw; e <= exchange.LogJSON; e++ {
		for c := range 256 {
			x.RefusalMessage = string([]byte{byte(c)})
			alone := string(x.Append(nil, message, e))
			for n := range 25 {
				for at := range n {
					before, after := strings.Repeat("x", at), strings.Repeat("~", n-at-1)
					x.RefusalMessage = before + string([]byte{byte(c)}) + after
					got := string(x.Append([]byte("<"), message, e))
					if want := "<" + before + alone + after; got != want {
						t.Fatalf("escape %d of byte %#x, %d of %d: %q, want %q", e, c, at, n, got, want)
					}
				}
			}
		}
	}
}

// TestPlainVars holds the members that are not searched for bytes to escape to having none.
func TestPlainVars(t *testing.T) {
	x := sample()
	x.Backend.Called, x.Backend.Status, x.Backend.Latency = true, 599, -time.Hour
	x.Latency = time.Hour
	for name, v := range snapshot.ContextVars() {
		if name == "identity.userAgent" || name == "error.messageString" {
			continue
		}
		for _, e := range []exchange.Escape{exchange.Raw, exchange.JSONString, exchange.LogLine, exchange.LogJSON} {
			got := x.Append(nil, snapshot.Text{{Source: snapshot.Context, Var: v}}, e)
			if i := bytes.IndexFunc(got, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '"' || r == '\\' }); i >= 0 {
				t.Errorf("$context.%s is %q", name, got)
			}
		}
	}
}

// TestRequestTimeMoves asks one exchange for its time in several seconds: it keeps the text of the last.
func TestRequestTimeMoves(t *testing.T) {
	x := &exchange.Exchange{}
	for _, tc := range []struct {
		name    string
		started time.Time
	}{
		{"the first second there is", time.Unix(0, 0)},
		{"a time", time.Unix(1_700_000_000, 0)},
		{"the same second", time.Unix(1_700_000_000, 999_999_999)},
		{"the next", time.Unix(1_700_000_001, 0)},
		{"a leap day", time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC)},
		{"another zone", time.Date(2026, 1, 1, 0, 30, 0, 0, time.FixedZone("", 3600))},
		{"a clock that was set back", time.Unix(1_700_000_000, 0)},
	} {
		x.Reset()
		x.Started = tc.started
		got := string(x.AppendValue(nil, &snapshot.Segment{Source: snapshot.Context, Var: snapshot.CtxRequestTime}))
		if want := tc.started.UTC().Format("02/Jan/2006:15:04:05 +0000"); got != want {
			t.Errorf("%s: %s, want %s", tc.name, got, want)
		}
	}
}

// FuzzAppend holds a value to what its characters become one by one.
func FuzzAppend(f *testing.F) {
	f.Add("curl/8.5.0", uint8(exchange.LogJSON))
	f.Add("12345678\"", uint8(exchange.LogLine))
	f.Add("1234567\x7f12345678", uint8(exchange.Raw))
	f.Fuzz(func(t *testing.T, s string, escape uint8) {
		e := exchange.Escape(escape % uint8(exchange.LogJSON+1))
		if s == "" {
			return // "-" in a log
		}
		x := &exchange.Exchange{RefusalMessage: s}
		message := snapshot.Text{{Source: snapshot.Context, Var: snapshot.CtxErrorMessage}}
		whole := string(x.Append(nil, message, e))
		var want strings.Builder
		for _, c := range strings.SplitAfter(s, "") { // one character at a time
			x.RefusalMessage = c
			want.Write(x.Append(nil, message, e))
		}
		if whole != want.String() {
			t.Errorf("escape %d of %q: %q, want %q", e, s, whole, want.String())
		}
	})
}
