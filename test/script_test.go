package test_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs script/*.txtar with the real binary. The commands of this file are, beside testscript's own:
//
//	backend NAME…                   starts echoing backends; $NAME is then "host:port"
//	serve [FILE]                    starts the gateway and waits until it serves; sets $GW and $MG (URLs) and $ADDR
//	http METHOD URL [HEADER…]       prints status, headers and body of the answer
//	flood N METHOD URL [HEADER…]    prints how many answers of N had each status, as "200 x 3"
//	eventually RE METHOD URL …      repeats http until RE matches what it prints
//	begin METHOD URL [HEADER…]      sends a request and waits until a backend has it; end prints its answer
//	signal HUP|TERM|INT             sends the gateway a signal
//	exited CODE                     waits for the gateway's end
//	run CODE ARG…                   runs the command to its end, which must be with this exit status
func TestScripts(t *testing.T) {
	bin := build(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			w := newWorld(bin, e)
			e.Values[worldKey{}] = w
			e.Defer(w.close)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"backend": command(1, (*world).backend), "serve": command(0, (*world).serve), "http": command(2, (*world).http),
			"flood": command(3, (*world).flood), "eventually": command(3, (*world).eventually),
			"begin": command(2, (*world).begin), "end": command(0, (*world).end), "signal": command(1, (*world).signal),
			"exited": command(1, (*world).exited), "run": command(1, (*world).run),
		},
	})
}

// build makes the binary, with the race detector when the tests have it.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "gatehouse")
	args := []string{"build", "-buildvcs=false", "-o", bin}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "../cmd/gatehouse")...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// command makes a script's command of a method that needs at least so many arguments. No command can be negated.
func command(least int, do func(*world, *testscript.TestScript, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least {
			ts.Fatalf("usage: see TestScripts; this takes %d arguments and no !", least)
		}
		ts.Check(do(ts.Value(worldKey{}).(*world), ts, args))
	}
}

func (w *world) backend(ts *testscript.TestScript, names []string) error {
	for _, name := range names {
		ts.Setenv(name, w.startBackend(name))
	}
	return nil
}

func (w *world) serve(ts *testscript.TestScript, args []string) error {
	if err := w.start(ts.Getenv, ts.MkAbs("."), append([]string{"serve"}, args...)); err != nil {
		return err
	}
	ts.Setenv("ADDR", w.gateway.http)
	ts.Setenv("GW", "http://"+w.gateway.http)
	ts.Setenv("MG", "http://"+w.gateway.management)
	return nil
}

func (w *world) http(ts *testscript.TestScript, args []string) error {
	text, _, err := w.request(args)
	fmt.Fprint(ts.Stdout(), text)
	return err
}

func (w *world) flood(ts *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	counts := map[int]int{}
	for range n {
		_, status, err := w.request(args[1:])
		if err != nil {
			return err
		}
		counts[status]++
	}
	for status := 100; status < 600; status++ {
		if counts[status] > 0 {
			fmt.Fprintf(ts.Stdout(), "%d x %d\n", status, counts[status])
		}
	}
	return nil
}

func (w *world) eventually(ts *testscript.TestScript, args []string) error {
	want, err := regexp.Compile("(?m)" + args[0])
	if err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, _, err := w.request(args[1:])
		if err == nil && want.MatchString(text) {
			fmt.Fprint(ts.Stdout(), text)
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("waited in vain for %s; the last answer was %v\n%s", args[0], err, text)
		}
	}
}

// pending is the answer of a request that was begun.
type pending struct {
	text string
	err  error
}

func (w *world) begin(_ *testscript.TestScript, args []string) error {
	before := w.hits.Load()
	w.pending = make(chan pending, 1)
	go func() {
		text, _, err := w.request(args)
		w.pending <- pending{text, err}
	}()
	return until(10*time.Second, func() bool { return w.hits.Load() > before }, "the request to reach a backend")
}

func (w *world) end(ts *testscript.TestScript, _ []string) error {
	p := <-w.pending
	fmt.Fprint(ts.Stdout(), p.text)
	return p.err
}

func (w *world) signal(_ *testscript.TestScript, args []string) error {
	sig, ok := signals[args[0]]
	if !ok || w.gateway == nil {
		return fmt.Errorf("no signal %s, or no gateway", args[0])
	}
	return w.gateway.cmd.Process.Signal(sig)
}

func (w *world) exited(ts *testscript.TestScript, args []string) error {
	if w.gateway == nil {
		return errors.New("no gateway was started")
	}
	code, err := w.gateway.wait()
	fmt.Fprint(ts.Stderr(), w.gateway.stderr.String())
	if err == nil && strconv.Itoa(code) != args[0] {
		err = fmt.Errorf("the gateway exited with %d, not %s\n%s", code, args[0], w.gateway.stderr)
	}
	return err
}

func (w *world) run(ts *testscript.TestScript, args []string) error {
	cmd := w.command(ts.Getenv, ts.MkAbs("."), args[1:])
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if code := strconv.Itoa(cmd.ProcessState.ExitCode()); code != args[0] {
		return fmt.Errorf("gatehouse %s exited with %s, not %s", strings.Join(args[1:], " "), code, args[0])
	}
	return nil
}
