package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running child of the bench, in a process group of its own, so that Ctrl-C reaches it through us only.
type process struct {
	name string
	pid  int
	log  string        // file that holds both its outputs
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

// anyCPU is the CPU of a process that is not pinned.
const anyCPU = -1

// start runs argv, pinned to one CPU unless that is anyCPU. A pinned Go process thereby gets GOMAXPROCS=1.
func (l *lab) start(name string, cpu int, argv ...string) (*process, error) {
	if cpu != anyCPU {
		argv = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, argv...) // taskset execs: the process id stays
	}
	p := &process{name: name, log: filepath.Join(l.dir, name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.pid = cmd.Process.Pid
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop asks the process to end, and after ten seconds ends it and its children. It returns when it is gone.
func (p *process) stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = syscall.Kill(p.pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		progress("%s does not end on SIGTERM: killed", p.name)
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // its own group, see start
		<-p.done
	}
}

// waitFor calls ready every pause until it returns true. It gives up when the process has ended, after half a minute,
// or with ctx.
func (p *process) waitFor(ctx context.Context, pause time.Duration, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for !ready() {
		select {
		case <-p.done:
			return p.failed(fmt.Errorf("it ended by itself (%w)", p.err))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return p.failed(errors.New("it does not answer"))
		case <-time.After(pause):
		}
	}
	return nil
}

// failed adds the end of what the process wrote to err, unless a person stopped the bench.
func (p *process) failed(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	out, _ := os.ReadFile(p.log) // the log only helps; err stands without it
	const most = 4000
	if len(out) > most {
		out = out[len(out)-most:]
	}
	return fmt.Errorf("%s: %w; it wrote:\n%s", p.name, err, strings.TrimSpace(string(out)))
}
