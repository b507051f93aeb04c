package test_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gatehouse/internal/gatewaytest"
)

// world is what one script runs in: backends, a client and a gateway.
type world struct {
	bin      string
	env      *testscript.Env
	client   *http.Client
	backends []*httptest.Server
	hits     atomic.Int64
	gateway  *process
	pending  chan pending
}

type worldKey struct{}

var signals = map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT}

func newWorld(bin string, e *testscript.Env) *world {
	return &world{bin: bin, env: e, client: &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       20 * time.Second,
	}}
}

// close ends everything that the script started.
func (w *world) close() {
	w.client.CloseIdleConnections()
	if w.gateway != nil {
		_ = w.gateway.cmd.Process.Kill()
		_, _ = w.gateway.wait()
	}
	for _, b := range w.backends {
		b.Close()
	}
}

// startBackend starts a backend that tells what it got: "NAME METHOD URI", the Host, the headers, the body.
// A path that begins with /status/NNN sets the status, /slow takes a second.
func (w *world) startBackend(name string) string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hits.Add(1)
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(r.URL.Path, "/slow") {
			time.Sleep(time.Second)
		}
		status := http.StatusOK
		if _, code, ok := strings.Cut(r.URL.Path, "/status/"); ok {
			status, _ = strconv.Atoi(code[:3])
		}
		rw.Header().Set("Content-Type", "text/plain")
		rw.WriteHeader(status)
		fmt.Fprintf(rw, "%s %s %s\nHost: %s\n%s%s", name, r.Method, r.RequestURI, r.Host, headerText(r.Header), body)
	}))
	w.backends = append(w.backends, s)
	return s.Listener.Addr().String()
}

func headerText(h http.Header) string {
	var lines []string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, name+": "+v+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// request sends METHOD URL [HEADER…]; "Host: x" sets the host, "Body: x" is no header but the body.
func (w *world) request(args []string) (text string, status int, err error) {
	req, err := http.NewRequest(args[0], args[1], nil)
	if err != nil {
		return "", 0, err
	}
	for _, h := range args[2:] {
		name, value, ok := strings.Cut(h, ": ")
		switch {
		case !ok:
			return "", 0, fmt.Errorf("a header is written %q, not %q", "Name: value", h)
		case name == "Host":
			req.Host = value
		case name == "Body":
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader(value)), int64(len(value))
		default:
			req.Header[name] = append(req.Header[name], value)
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if strings.HasSuffix(args[1], "/metrics") {
		body = ownMetrics.ReplaceAll(body, nil)
	}
	return fmt.Sprintf("HTTP %d\n%s\n%s\n", resp.StatusCode, headerText(resp.Header), body), resp.StatusCode, err
}

// ownMetrics finds the lines of /metrics that are not Gatehouse's, to leave them out of a script's log.
var ownMetrics = regexp.MustCompile(`(?m)^(# .*|go_.*|process_.*|.*_bucket.*)\n`)

// process is a gateway that runs.
type process struct {
	cmd    *exec.Cmd
	stderr *gatewaytest.Buffer
	// http and management are the addresses that it said it serves.
	http, management string
	ended            chan struct{}
}

// start runs the gateway until it says that it serves.
func (w *world) start(getenv func(string) string, dir string, args []string) error {
	p := &process{cmd: w.command(getenv, dir, args), stderr: &gatewaytest.Buffer{}, ended: make(chan struct{})}
	log, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if p.cmd.Stdout, err = os.OpenFile(dir+"/stdout", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	w.gateway = p
	serving := make(chan struct{})
	go p.read(log, serving)
	select {
	case <-serving:
		return nil
	case <-p.ended:
		return fmt.Errorf("the gateway does not start:\n%s", p.stderr)
	case <-time.After(20 * time.Second):
		return errors.New("the gateway does not say that it serves")
	}
}

// command is a call of the binary with the script's environment.
func (w *world) command(getenv func(string) string, dir string, args []string) *exec.Cmd {
	cmd := exec.Command(w.bin, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	for _, name := range []string{"A", "B", "ADDR", "KEY"} {
		if v := getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

// read copies the gateway's log and finds in it where it serves.
func (p *process) read(log io.Reader, serving chan struct{}) {
	s := bufio.NewScanner(log)
	for s.Scan() {
		fmt.Fprintln(p.stderr, s.Text())
		var line struct{ Msg, HTTP, Management string }
		if json.Unmarshal(s.Bytes(), &line) == nil && line.Msg == "serving" {
			p.http, p.management = line.HTTP, line.Management
			close(serving)
		}
	}
	_ = p.cmd.Wait()
	close(p.ended)
}

func (p *process) wait() (code int, err error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(20 * time.Second):
		return 0, errors.New("the gateway does not exit")
	}
}

// until waits for a condition.
func until(most time.Duration, ok func() bool, what string) error {
	for end := time.Now().Add(most); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return errors.New("waited in vain for " + what)
		}
	}
	return nil
}
