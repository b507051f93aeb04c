package apikey_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"gatehouse/internal/dataplane/authorize/apikey"
	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/fault"
	"gatehouse/internal/snapshot"
)

const (
	alice    = "alice-0123456789-abcdefgh"
	bob      = "bob-0123456789-abcdefghijk"
	shortest = "01234567890123456789"
)

var here, elsewhere = &snapshot.Stage{ID: "petstore/v1"}, &snapshot.Stage{ID: "other/v1"}

func keyOf(id, value string, stages ...*snapshot.Stage) snapshot.Key {
	k := snapshot.Key{ID: id, Digest: sha256.Sum256([]byte(value)), Plans: map[*snapshot.Stage]*snapshot.PlanUse{}}
	for _, s := range stages {
		k.Plans[s] = &snapshot.PlanUse{Plan: &snapshot.Plan{Name: s.ID}}
	}
	return k
}

func keysOf(keys ...snapshot.Key) *snapshot.Keys { return snapshot.NewKeys(keys) }

func route() *snapshot.Route { return &snapshot.Route{APIKeyRequired: true, Stage: here} }

// request makes an exchange with headers "name: value", whose names keep their case.
func request(headers ...string) *exchange.Exchange {
	x := &exchange.Exchange{Request: &fasthttp.Request{}}
	x.Request.Header.DisableNormalizing()
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		x.Request.Header.Add(name, value)
	}
	return x
}

func TestDo(t *testing.T) {
	longest := strings.Repeat("k", 128)
	keys := keysOf(keyOf("alice", alice, here, elsewhere), keyOf("bob", bob, elsewhere),
		keyOf("shortest", shortest, here), keyOf("longest", longest, here),
		keyOf("tooShort", shortest[1:], here), keyOf("tooLong", longest+"k", here))
	for _, tc := range []struct {
		name    string
		headers []string
		key     string
		reason  string
	}{
		{"good", []string{"x-api-key: " + alice}, "alice", ""},
		{"any case", []string{"X-Api-KEY: " + alice}, "alice", ""},
		{"among others", []string{"x-api-kez: " + bob, "x-api-key: " + alice, "accept: */*"}, "alice", ""},
		{"same value twice", []string{"x-api-key: " + alice, "X-API-Key: " + alice}, "alice", ""},
		{"shortest", []string{"x-api-key: " + shortest}, "shortest", ""},
		{"longest", []string{"x-api-key: " + longest}, "longest", ""},
		{"none", []string{"accept: */*"}, "", "missing"},
		{"empty", []string{"x-api-key: "}, "", "missing"},
		{"two different", []string{"x-api-key: " + alice, "X-API-Key: " + bob}, "", "several"},
		{"empty and good", []string{"x-api-key: ", "x-api-key: " + alice}, "", "several"},
		{"good and empty", []string{"x-api-key: " + alice, "x-api-key: "}, "", "several"},
		{"too short", []string{"x-api-key: " + shortest[1:]}, "", "20 to 128"},
		{"too long", []string{"x-api-key: " + longest + "k"}, "", "20 to 128"},
		{"unknown", []string{"x-api-key: " + alice + "x"}, "", "unknown"},
		{"other case of the value", []string{"x-api-key: " + strings.ToUpper(alice)}, "", "unknown"},
		{"no plan here", []string{"x-api-key: " + bob}, "", "no usage plan"},
		{"other header", []string{"authorization: " + alice, "x_api_key: " + alice}, "", "missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := request(tc.headers...)
			err := apikey.For(route(), keys).Do(x)
			if tc.reason == "" {
				if err != nil || x.Key == nil || x.Key.ID != tc.key || x.Use == nil || x.Use != x.Key.Plans[here] {
					t.Fatalf("got key %+v, use %+v, error %v; want %s", x.Key, x.Use, err, tc.key)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.InvalidAPIKey || f.Message != "" || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("got %#v, want %s with %q in its reason", err, fault.InvalidAPIKey, tc.reason)
			}
			if x.Key != nil || x.Use != nil {
				t.Error("a refused request has a key")
			}
		})
	}
}

func TestNotNeeded(t *testing.T) {
	if s := apikey.For(&snapshot.Route{Stage: &snapshot.Stage{}}, nil); s != nil {
		t.Errorf("got %v, want no step", s)
	}
}

func TestNoAllocation(t *testing.T) {
	s := apikey.For(route(), keysOf(keyOf("alice", alice, here)))
	for name, x := range map[string]*exchange.Exchange{
		"good": request("accept: */*", "x-api-key: "+alice), "unknown": request("x-api-key: " + bob), "missing": request(),
	} {
		if n := testing.AllocsPerRun(100, func() { _ = s.Do(x) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkDo(b *testing.B) {
	s := apikey.For(route(), keysOf(keyOf("alice", alice, here)))
	x := request("Host: a", "User-Agent: wrk", "Accept: */*", "x-api-key: "+alice)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Do(x); err != nil {
			b.Fatal(err)
		}
	}
}
