package test_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/gatewaytest"
)

// version is a config whose answers tell which one they came from; all have the same key and plan.
func version(n int, backend string) map[string]string {
	return gatewaytest.Config(fmt.Sprintf(`
apis:
  a:
    api_key: true
    routes:
      "GET /version": {backend: "http://up.internal/v%[1]d", public: true}
      "GET /only%[1]d": {backend: "http://up.internal/only", public: true}
      "GET /quota": http://up.internal/quota
      "GET /rate": http://up.internal/rate
    stages: {v1: {throttle: {rate: 1e6, burst: 1000000}}}
upstreams: {up.internal: {servers: [%[2]q]}}
usage_plans:
  quota: {stages: [a/v1], quota: {limit: 100, period: MONTH}}
  rate: {stages: [a/v1], throttle: {rate: 0.001, burst: 50}}
api_keys:
  quota: {value: quota-quota-quota-quota, plans: [quota]}
  rate: {value: rate-rate-rate-rate-rate, plans: [rate]}
`, n, backend))
}

// TestReloadUnderLoad swaps every 50 ms while eight clients ask: nothing fails, and no connection is lost.
func TestReloadUnderLoad(t *testing.T) {
	b := newRaw(t, func(r *rawRequest) bool {
		body := "GET " + r.path()
		r.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		return true
	})
	addr := b.addr()
	g := gatewaytest.New(t, version(0, addr))
	accepted := metric(t, g, "gatehouse_connections_accepted_total")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var asked, versions atomic.Int64
	const many = 8
	for range many {
		c := g.Dial()
		clients.Go(func() {
			last := ""
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, _ = io.WriteString(c, "GET /version HTTP/1.1\r\nHost: h\r\n\r\n")
				a, ok := c.Hear("GET")
				if !ok || a.Status != 200 || !strings.HasPrefix(a.Body, "GET /v") {
					t.Errorf("%v %+v", ok, a)
					return
				}
				asked.Add(1)
				if a.Body != last {
					last = a.Body
					versions.Add(1)
				}
			}
		})
	}
	swaps := 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		swaps++
		g.Write(version(swaps, addr))
		g.Reload()
	}
	close(stop)
	clients.Wait()
	if got := metric(t, g, "gatehouse_connections_accepted_total") - accepted; got != many {
		t.Errorf("%v connections were accepted for %d clients", got, many) // none was opened beside these
	}
	if n := b.accepted.Load(); n > 2*many {
		t.Errorf("%d connections to the backend for %d clients", n, many)
	}
	if versions.Load() < 10*many || asked.Load() < 100 {
		t.Errorf("%d requests saw %d changes in %d swaps", asked.Load(), versions.Load(), swaps)
	}
	if failures := metric(t, g, "gatehouse_snapshot_reload_failures_total"); failures > 0 {
		// A file that is read while it is written is refused; the next look mends that.
		t.Logf("%v of %d swaps read a half-written file", failures, swaps)
	}
	t.Logf("%d requests, %d swaps, %d changes seen", asked.Load(), swaps, versions.Load())
	g.Eventually(func() bool { return g.Do("GET", fmt.Sprintf("/only%d", swaps)).Status == 200 }, "the last version")
	if a := g.Do("GET", fmt.Sprintf("/only%d", swaps-1)); a.Status != 403 {
		t.Errorf("a route that is gone: %+v", a)
	}
}

// TestLimitsOutliveSwaps: a key gets exactly its limit, however often the config is read meanwhile.
func TestLimitsOutliveSwaps(t *testing.T) {
	b := newRecorder(t)
	addr := strings.TrimPrefix(b.URL, "http://")
	g := gatewaytest.New(t, version(0, addr))
	for _, tc := range []struct {
		path, key string
		limit     int
	}{
		{"/quota", "quota-quota-quota-quota", 100},
		{"/rate", "rate-rate-rate-rate-rate", 50},
	} {
		t.Run(tc.path[1:], func(t *testing.T) {
			stop := make(chan struct{})
			var swapping sync.WaitGroup
			swapping.Go(func() {
				for n := 1; ; n++ {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
						g.Write(version(n, addr))
						g.Reload()
					}
				}
			})
			var ok, refused atomic.Int64
			var clients sync.WaitGroup
			for range 4 {
				clients.Go(func() {
					for range 50 {
						if a := g.Do("GET", tc.path, "x-api-key: "+tc.key); a.Status == 200 {
							ok.Add(1)
						} else if a.Status == 429 {
							refused.Add(1)
						}
						time.Sleep(2 * time.Millisecond)
					}
				})
			}
			clients.Wait()
			close(stop)
			swapping.Wait()
			if ok.Load() != int64(tc.limit) || refused.Load() != int64(200-tc.limit) {
				t.Errorf("%d requests passed, %d were refused; the limit is %d of 200", ok.Load(), refused.Load(), tc.limit)
			}
		})
	}
}

// TestLongRequestOutlivesSwap: what began with one version ends with it, its backend's connection included.
func TestLongRequestOutlivesSwap(t *testing.T) {
	t.Parallel()
	began, finish := make(chan struct{}), make(chan struct{})
	b := newRaw(t, func(r *rawRequest) bool {
		close(began)
		r.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		<-finish
		r.say("5\r\nagain\r\n0\r\n\r\n")
		return true
	})
	other := newRecorder(t)
	g := gatewaytest.New(t, version(0, b.addr()))
	c := g.Dial()
	c.Say("GET /version HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	g.Write(version(1, strings.TrimPrefix(other.URL, "http://")))
	g.Reload()
	g.Eventually(func() bool { return g.Do("GET", "/only1").Status == 200 }, "the swap")
	close(finish)
	if a, ok := c.Hear("GET"); !ok || a.Body != "helloagain" {
		t.Errorf("%v %+v", ok, a)
	}
	c.Say("GET /version HTTP/1.1\r\nHost: h\r\n\r\n")
	if a, ok := c.Hear("GET"); !ok || a.Body != "GET /v1 0" {
		t.Errorf("the same connection afterwards: %v %+v", ok, a)
	}
}
