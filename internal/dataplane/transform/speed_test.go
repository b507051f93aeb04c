package transform_test

import (
	"testing"

	"gatehouse/internal/dataplane/exchange"
	"gatehouse/internal/dataplane/transform"
	"gatehouse/internal/snapshot"
)

// plain is a GET with eight headers and an answer with seven, through HTTP_PROXY with a path variable.
func plain(t testing.TB, kind snapshot.Kind) (*snapshot.Route, *exchange.Exchange) {
	x := client(t, "GET", "/pets/42?limit=10", "User-Agent: curl/8.5.0", "Accept: */*", "Accept-Encoding: gzip, br",
		"X-Api-Key: 0123456789abcdef0123", "Content-Type: application/json", "X-Request-Id: 1f0c", "Cache-Control: no-cache")
	r := route(kind, snapshot.Integration{
		Path:        snapshot.Text{{Name: "/v2/pets/"}, {Source: snapshot.RequestPath}},
		QueryPasses: true,
	})
	x.Captures.N = 1
	x.Captures.C[0].Start, x.Captures.C[0].End = 6, 8
	answered(t, x, `{"id":42}`, "200 OK", "Server: nginx/1.24", "Date: Mon, 01 Jan 2024 00:00:00 GMT",
		"Content-Type: application/json", "Content-Length: 9", "ETag: \"abc\"", "Cache-Control: no-store", "Vary: Accept")
	x.Route, x.Stage = r, r.Stage
	return r, x
}

// again gives the backend the body back that the last round moved to the client.
func again(x *exchange.Exchange) {
	x.Backend.Response.SwapBody(x.Response.SwapBody(x.Backend.Response.SwapBody(nil)))
	x.Response.Header.Reset()
}

func TestPlainProxyAllocatesNothing(t *testing.T) {
	for _, kind := range []snapshot.Kind{snapshot.REST, snapshot.HTTP} {
		t.Run(kind.String(), func(t *testing.T) {
			r, x := plain(t, kind)
			in, out := transform.Request(r), transform.Response(r)
			n := testing.AllocsPerRun(200, func() {
				if in.Do(x) != nil || out.Do(x) != nil {
					t.Fatal("refused")
				}
				again(x)
			})
			if n != 0 {
				t.Errorf("%v allocations a request, want 0", n)
			}
		})
	}
}

func BenchmarkPlainProxy(b *testing.B) {
	r, x := plain(b, snapshot.REST)
	in, out := transform.Request(r), transform.Response(r)
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = in.Do(x)
		}
	})
	b.Run("response", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = out.Do(x)
			again(x)
		}
	})
}
