package test_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/gatewaytest"
)

// twoKinds serves /rest/… and /http/… from one backend, /rest/down and /http/down from one that is not there.
func twoKinds(t testing.TB, backend string) string {
	t.Helper()
	return fmt.Sprintf(`
apis:
  rest: {public: true, routes: {"ANY /{p+}": {backend: "http://%[1]s/{p}", timeout: 400ms}, "GET /down": "http://127.0.0.1:%[2]d/"}}
  http: {kind: http, public: true, routes: {"ANY /{p+}": {backend: "http://%[1]s/{p}", timeout: 400ms}, "GET /down": "http://127.0.0.1:%[2]d/"}}
domains: {"*": {/rest: rest/default, /http: http/$default}}
`, backend, closedPort(t))
}

// closedPort gives a port on which nobody listens.
func closedPort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// failures are what a backend can do wrong, by the path of the request; kind is the metric's label.
var failures = map[string]struct {
	kind    string
	timeout bool
	answer  func(r *rawRequest)
}{
	"black-hole":       {"timeout", true, func(r *rawRequest) { _, _ = r.Read(make([]byte, 1)) }},
	"closes":           {"reset", false, func(*rawRequest) {}},
	"resets":           {"reset", false, (*rawRequest).reset},
	"resets-in-header": {"reset", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nContent-Le"); r.reset() }},
	"closes-in-header": {"reset", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n") }},
	"hangs-in-header":  {"timeout", true, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\n"); _, _ = r.Read(make([]byte, 1)) }},
	"closes-in-body":   {"reset", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello") }},
	"hangs-in-body": {"timeout", true, func(r *rawRequest) {
		r.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
		_, _ = r.Read(make([]byte, 1))
	}},
	"garbage":          {"malformed", false, func(r *rawRequest) { r.say("\x00\x01\x02 this is no HTTP\r\n\r\n") }},
	"another-protocol": {"malformed", false, func(r *rawRequest) { r.say("SSH-2.0-OpenSSH_9.6\r\n") }},
	"huge-header":      {"malformed", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100_000) + "\r\n\r\n") }},
	"two-lengths":      {"malformed", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!") }},
	"length-no-number": {"malformed", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello") }},
	"length-and-chunks": {"malformed", false, func(r *rawRequest) {
		r.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	}},
	"blank-in-name": {"malformed", false, func(r *rawRequest) { r.say("HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 0\r\n\r\n") }},
	"switches-protocols": {"malformed", false, func(r *rawRequest) {
		r.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
	}},
	"only-interim":    {"reset", false, func(r *rawRequest) { r.say("HTTP/1.1 100 Continue\r\n\r\n") }},
	"endless-interim": {"malformed", false, func(r *rawRequest) { r.say(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50)) }},
}

// TestBackendFailures is not parallel: it counts goroutines and descriptors.
func TestBackendFailures(t *testing.T) {
	b := newRaw(t, func(r *rawRequest) bool {
		f, ok := failures[strings.Trim(r.path(), "/")]
		if !ok {
			r.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return true
		}
		f.answer(r)
		return false
	})
	g := newGateway(t, "", twoKinds(t, b.addr()))
	requests := 0
	fails := func(t *testing.T, path, kind string, timeout bool) {
		series := fmt.Sprintf("gatehouse_integration_errors_total{kind=%q}", kind)
		before := metric(t, g, series)
		requests += 2
		rest := g.Do("GET", "/rest/"+path, closing)
		want := gatewaytest.Answer{Status: 500, Body: `{"message":"Internal server error"}`}
		errorType := "INTEGRATION_FAILURE"
		if timeout {
			want = gatewaytest.Answer{Status: 504, Body: `{"message":"Endpoint request timed out"}`}
			errorType = "INTEGRATION_TIMEOUT"
		}
		if rest.Status != want.Status || rest.Body != want.Body || rest.Header.Get("X-Amzn-Errortype") != "InternalServerErrorException" {
			t.Errorf("REST: %+v", rest)
		}
		want = gatewaytest.Answer{Status: 503, Body: `{"message":"Service Unavailable"}`}
		if timeout {
			want = gatewaytest.Answer{Status: 504, Body: `{"message":"Gateway Timeout"}`}
		}
		if a := g.Do("GET", "/http/"+path, closing); a.Status != want.Status || a.Body != want.Body {
			t.Errorf("HTTP: %+v", a)
		}
		if got := metric(t, g, series); got != before+2 {
			t.Errorf("%s went from %v to %v", series, before, got)
		}
		lines := g.AccessLog(requests)
		if len(lines) != requests {
			t.Errorf("%d lines in the access log of %d requests", len(lines), requests)
		}
		last := lines[len(lines)-2]
		if !strings.Contains(last, fmt.Sprintf(`"status":%d,`, rest.Status)) || !strings.Contains(last, `"error":"`+errorType+`"`) ||
			strings.Contains(last, `"failure":"-"`) {
			t.Error(last)
		}
	}
	for _, path := range []string{"/rest/ok", "/http/ok", "/rest/down", "/http/down"} {
		g.Do("GET", path, closing)
		requests++
	}
	g.Get("/metrics")
	leak := watchLeaks(t)
	t.Run("down", func(t *testing.T) { fails(t, "down", "refused", false) })
	for name, f := range failures {
		t.Run(name, func(t *testing.T) { fails(t, name, f.kind, f.timeout) })
	}
	for _, path := range []string{"/rest/ok", "/http/ok"} {
		if a := g.Do("GET", path, closing); a.Status != 200 {
			t.Errorf("afterwards: %+v", a)
		}
	}
	leak(t)
}

// closing is sent where connections are counted: else a client may keep another one each time.
const closing = "Connection: close"

// watchLeaks counts goroutines and descriptors now; the function that it gives wants no more of them.
func watchLeaks(t *testing.T) func(t *testing.T) {
	t.Helper()
	time.Sleep(20 * time.Millisecond) // what was just asked for is put back into pools
	before, files := goroutines(), descriptors(t)
	return func(t *testing.T) {
		t.Helper()
		var more []string
		err := until(5*time.Second, func() bool {
			more = nil
			for where, n := range goroutines() {
				if n > before[where] {
					more = append(more, fmt.Sprintf("%d, before %d: %s", n, before[where], where))
				}
			}
			return len(more) == 0 && descriptors(t) <= files
		}, "goroutines and descriptors to end")
		if err != nil {
			t.Errorf("%v: descriptors %d, before %d; goroutines:\n%s", err, descriptors(t), files, strings.Join(more, "\n"))
		}
	}
}

// goroutines counts them by what they do: their first and last function. Left out are what fasthttp keeps (idle workers
// for ten seconds, a clock for ever), and net/http's connections, which belong to the test.
func goroutines() map[string]int {
	stacks := make([]byte, 1<<20)
	counts := map[string]int{}
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if strings.Contains(stack, "workerFunc") && !strings.Contains(stack, "serveConn") || strings.Contains(stack, "net/http.") ||
			strings.Contains(stack, "updateServerDate") {
			continue
		}
		lines := strings.Split(strings.TrimSpace(stack), "\n")
		first, _, _ := strings.Cut(lines[min(1, len(lines)-1)], "(0x")
		last, _, _ := strings.Cut(lines[max(0, len(lines)-2)], " in goroutine")
		counts[first+" … "+last]++
	}
	return counts
}

func descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not list a process's descriptors:", err)
	}
	return len(all)
}

// TestCutBodies: a body that was on its way to the client when it broke must not look whole.
func TestCutBodies(t *testing.T) {
	const large = 300_000
	cuts := map[string]func(r *rawRequest){
		"length": func(r *rawRequest) {
			r.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", large, strings.Repeat("x", large/2)))
		},
		"length-reset": func(r *rawRequest) {
			r.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", large, strings.Repeat("x", large/2)))
			time.Sleep(50 * time.Millisecond)
			r.reset()
		},
		"chunks": func(r *rawRequest) {
			r.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		},
		"bad-chunk": func(r *rawRequest) {
			r.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
		},
		"hangs": func(r *rawRequest) {
			r.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			_, _ = r.Read(make([]byte, 1))
		},
	}
	b := newRaw(t, func(r *rawRequest) bool {
		if cut, ok := cuts[strings.Trim(r.path(), "/")]; ok {
			cut(r)
			return false
		}
		r.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		return true
	})
	g := newGateway(t, "", twoKinds(t, b.addr()))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	g.Do("GET", "/rest/ok", closing)
	leak := watchLeaks(t)
	requests := 1
	for name := range cuts {
		for _, kind := range []string{"rest", "http"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				requests++
				resp, err := client.Get(g.URL("/" + kind + "/" + name))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err == nil {
					t.Errorf("the client takes %d bytes for the whole answer", len(body))
				}
				if lines := g.AccessLog(requests); len(lines) != requests {
					t.Errorf("%d lines in the access log of %d requests", len(lines), requests)
				}
			})
		}
	}
	if a := g.Do("GET", "/rest/ok", closing); a.Status != 200 {
		t.Errorf("afterwards: %+v", a)
	}
	leak(t)
}

// TestBackendAnswers are answers that are right although not every client of a backend reads them right.
func TestBackendAnswers(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"interim":       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"no-content":    "HTTP/1.1 204 No Content\r\n\r\n",
		"not-modified":  "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"e\"\r\n\r\n",
		"head":          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"chunks":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n",
		"until-close":   "HTTP/1.1 200 OK\r\n\r\nhello",
		"old":           "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"empty":         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"no-reason":     "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
		"odd-status":    "HTTP/1.1 599 Odd\r\nContent-Length: 5\r\n\r\nhello",
		"failed-itself": "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\nX-Amzn-ErrorType: Mine\r\n\r\nhello",
		"large-header":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 9000) + "\r\nContent-Length: 5\r\n\r\nhello",
	}
	b := newRaw(t, func(r *rawRequest) bool {
		name := strings.Trim(r.path(), "/")
		r.say(answers[name])
		return name != "until-close" && name != "old"
	})
	g := newGateway(t, "", twoKinds(t, b.addr()))
	for _, tc := range []struct {
		method, name string
		status       int
		body         string
		length       string
	}{
		{"GET", "interim", 200, "hello", "5"},
		{"GET", "no-content", 204, "", ""},
		{"GET", "not-modified", 304, "", "5"},
		{"HEAD", "head", 200, "", "5"},
		{"GET", "chunks", 200, "hello", ""},
		{"GET", "until-close", 200, "hello", ""},
		{"GET", "old", 200, "hello", "5"},
		{"GET", "empty", 200, "", "0"},
		{"GET", "no-reason", 200, "hello", "5"},
		{"GET", "odd-status", 599, "hello", "5"},
		{"GET", "failed-itself", 500, "hello", "5"},
		{"GET", "large-header", 200, "hello", "5"},
	} {
		for _, kind := range []string{"rest", "http"} {
			t.Run(tc.name+" "+kind, func(t *testing.T) {
				c := g.Dial()
				for range 2 { // the second one shows that nothing was left on either connection
					c.Say(tc.method + " /" + kind + "/" + tc.name + " HTTP/1.1\r\nHost: h\r\n\r\n")
					a, ok := c.Hear(tc.method)
					if !ok || a.Status != tc.status || a.Body != tc.body || a.Header.Get("Content-Length") != tc.length {
						t.Fatalf("%v %d %v %q", ok, a.Status, a.Header, a.Body)
					}
				}
			})
		}
	}
}

// TestClientGone: when the client goes away, the backend's connection is closed soon.
func TestClientGone(t *testing.T) {
	began, ended := make(chan struct{}), make(chan time.Time, 1)
	b := newRaw(t, func(r *rawRequest) bool {
		if r.path() != "/wait" {
			r.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return true
		}
		close(began)
		_, _ = r.Read(make([]byte, 1))
		ended <- time.Now()
		return false
	})
	g := newGateway(t, "", `apis: {a: {public: true, routes: {"GET /{p+}": "http://`+b.addr()+`/{p}"}}}`)
	g.Do("GET", "/ok", closing)
	leak := watchLeaks(t)
	c := g.Dial()
	c.Say("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	time.Sleep(300 * time.Millisecond) // the gateway looks at calls that take longer
	gone := time.Now()
	_ = c.Close()
	select {
	case at := <-ended:
		if took := at.Sub(gone); took > 700*time.Millisecond {
			t.Errorf("the backend saw it after %v", took)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the backend never saw it")
	}
	g.Eventually(func() bool { return metric(t, g, `gatehouse_integration_errors_total{kind="abandoned"}`) == 1 }, "the metric")
	g.AccessLog(2)
	leak(t)
}
