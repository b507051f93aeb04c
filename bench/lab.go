package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lab is what the benches share: a temporary folder, two CPUs, the tools, and the binaries. It is used by one
// goroutine.
type lab struct {
	dir         string // holds all that a run writes but its results; removed at the end
	module      string // the root of the Go module
	self        string // this binary
	wrk, nginx  string // paths; empty until find
	gatehouse   string // path; empty until buildGateway
	measuredCPU int
	loadCPU     int
	port        int      // the last port handed out
	backend     *process // nil until startBackend
	backendAddr string
}

// newLab fails on a machine where nothing could be measured.
func newLab(ctx context.Context) (*lab, error) {
	l := &lab{port: 20100}
	var err error
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w; run bench inside the repository", err)
	}
	l.module = strings.TrimSpace(string(out))
	if err := l.chooseCPUs(); err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp("", "gatehouse-bench-"); err != nil {
		return nil, err
	}
	if err := os.Chmod(l.dir, 0o755); err != nil { // nginx' worker is another user
		l.close()
		return nil, err
	}
	return l, nil
}

// close stops the backend and removes the folder.
func (l *lab) close() {
	if l.backend != nil {
		l.backend.stop()
	}
	if err := os.RemoveAll(l.dir); err != nil {
		progress("left behind: %v", err)
	}
}

// chooseCPUs takes the first two this process may run on: one for what is measured, one for the load.
func (l *lab) chooseCPUs() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("%w; the benches measure with /proc and need Linux", err)
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		return fmt.Errorf("%w; install util-linux", err)
	}
	list, _ := colonField(status, "Cpus_allowed_list")
	cpus, err := parseCPUs(list)
	if err != nil {
		return err
	}
	if len(cpus) < 2 {
		return errors.New("only one CPU is allowed here; the load needs one of its own")
	}
	l.measuredCPU, l.loadCPU = cpus[0], cpus[1]
	return nil
}

// parseCPUs reads a list such as "0-1,4".
func parseCPUs(list string) ([]int, error) {
	const most = 1 << 16 // bounds a broken range
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, fmt.Errorf("list of CPUs %q: %w", list, err)
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			return nil, fmt.Errorf("list of CPUs %q: %w", list, err)
		}
		if from < 0 || to < from || to > most {
			return nil, fmt.Errorf("list of CPUs %q: %q is no range", list, part)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// find looks for a peer's or a tool's binary and installs its Debian package of the same name when it may.
func find(ctx context.Context, name string) (string, error) {
	if path, err := lookUp(name); err == nil {
		return path, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return "", fmt.Errorf("%s is missing; install it (Debian: apt-get install %s) and run again", name, name)
	}
	progress("installing %s with apt-get", name)
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", name}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("apt-get %s: %w; install %s by hand; it wrote:\n%s", args[0], err, name, out)
		}
	}
	path, err := lookUp(name)
	if err != nil {
		return "", fmt.Errorf("%w, although its package was installed", err)
	}
	return path, nil
}

// lookUp also looks where nginx is, which is outside many a PATH.
func lookUp(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

// findWrk makes l.wrk usable.
func (l *lab) findWrk(ctx context.Context) (err error) {
	if l.wrk == "" {
		l.wrk, err = find(ctx, "wrk")
	}
	return err
}

// findNginx makes l.nginx usable.
func (l *lab) findNginx(ctx context.Context) (err error) {
	if l.nginx == "" {
		l.nginx, err = find(ctx, "nginx")
	}
	return err
}

// buildGateway makes l.gatehouse usable.
func (l *lab) buildGateway(ctx context.Context) error {
	if l.gatehouse != "" {
		return nil
	}
	progress("building the gateway")
	binary := filepath.Join(l.dir, "bin", "gatehouse")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/gatehouse")
	cmd.Dir = l.module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the gateway: %w:\n%s(the peers alone: -rows tcp,nginx,nginx-keys)", err, out)
	}
	l.gatehouse = binary
	return nil
}

// startBackend makes l.backendAddr answer, beside wrk on the load's CPU.
func (l *lab) startBackend(ctx context.Context) error {
	if l.backend != nil {
		return nil
	}
	addr, err := l.freeAddr()
	if err != nil {
		return err
	}
	p, err := l.start("backend", l.loadCPU, l.self, "backend", addr)
	if err != nil {
		return err
	}
	l.backend, l.backendAddr = p, addr
	return p.waitFor(ctx, 5*time.Millisecond, func() bool { return answers(addr, target{path: "/"}) })
}

// freeAddr hands out a loopback address that nobody listens on, each only once. Its port lies below the ones that
// the kernel gives to outgoing connections, so that none of those is in the way later.
func (l *lab) freeAddr() (string, error) {
	for l.port < 32768 {
		l.port++
		addr := "127.0.0.1:" + strconv.Itoa(l.port)
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		return addr, ln.Close()
	}
	return "", errors.New("no free port on 127.0.0.1 between 20101 and 32767")
}
