package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// connections is how many wrk keeps busy.
const connections = 64

// target is one request that wrk sends again and again.
type target struct{ path, key string }

// load is what one run of wrk saw.
type load struct {
	requests     int64
	rate         float64 // requests a second
	p50, p99     time.Duration
	statusErrors int64 // answers with a status over 399
	socketErrors int64 // connections that could not be made, ended early or timed out
}

func (r load) errors() int64 { return r.statusErrors + r.socketErrors }

// wrkScript makes wrk go round its targets. The requests are formatted once, so that a request costs the load's CPU
// one table look-up; rows with one target use it too, so that the load costs the same in every row.
const wrkScript = `local requests, at = {}, 0

function init(args)
  for line in io.lines(%q) do
    local path, key = line:match("^(%%S+)%%s*(%%S*)$")
    wrk.headers["x-api-key"] = key ~= "" and key or nil
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  at = at + 1
  if at > #requests then at = 1 end
  return requests[at]
end
`

// writeTargets writes the script that sends targets, and returns its path.
func writeTargets(dir, name string, targets []target) (string, error) {
	var list strings.Builder
	for _, t := range targets {
		fmt.Fprintf(&list, "%s %s\n", t.path, t.key)
	}
	file := filepath.Join(dir, name+".targets")
	if err := os.WriteFile(file, []byte(list.String()), 0o644); err != nil {
		return "", err
	}
	script := filepath.Join(dir, name+".lua")
	return script, os.WriteFile(script, fmt.Appendf(nil, wrkScript, file), 0o644)
}

// drive runs wrk against addr with a script of writeTargets, on the load's CPU.
func (l *lab) drive(ctx context.Context, addr, script string, d time.Duration) (load, error) {
	cmd := exec.CommandContext(ctx, "taskset", "-c", strconv.Itoa(l.loadCPU), l.wrk, "--latency", "-t1",
		"-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(int(d/time.Second))+"s", "-s", script, "http://"+addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return load{}, ctx.Err()
	}
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w:\n%s", err, out)
	}
	return parseWrk(string(out))
}

// parseWrk reads the report that wrk --latency prints.
func parseWrk(out string) (load, error) {
	var r load
	var err error
	count := regexp.MustCompile(`(?m)^\s*(\d+) requests in `).FindStringSubmatch(out)
	rate := regexp.MustCompile(`(?m)^Requests/sec:\s*([\d.]+)`).FindStringSubmatch(out)
	if count == nil || rate == nil {
		return r, fmt.Errorf("wrk: its report counts no requests:\n%s", out)
	}
	if r.requests, err = strconv.ParseInt(count[1], 10, 64); err != nil {
		return r, fmt.Errorf("wrk: requests: %w", err)
	}
	if r.requests == 0 {
		return r, errors.New("wrk: not one request was answered")
	}
	if r.rate, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return r, fmt.Errorf("wrk: requests a second: %w", err)
	}
	if r.p50, err = percentile(out, "50%"); err != nil {
		return r, err
	}
	if r.p99, err = percentile(out, "99%"); err != nil {
		return r, err
	}
	r.statusErrors = sumOf(regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`), out)
	r.socketErrors = sumOf(regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`), out)
	return r, nil
}

// percentile reads a line such as "  99%  1.25ms" of the latency distribution.
func percentile(out, name string) (time.Duration, error) {
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == name {
			d, err := time.ParseDuration(fields[1]) // wrk's units are Go's
			if err != nil {
				return 0, fmt.Errorf("wrk: %s: %w", name, err)
			}
			return d, nil
		}
	}
	return 0, fmt.Errorf("wrk: no %s in its report:\n%s", name, out)
}

// sumOf adds up the numbers that pattern catches. wrk leaves a line of errors out when there are none.
func sumOf(pattern *regexp.Regexp, out string) int64 {
	var sum int64
	match := pattern.FindStringSubmatch(out)
	for i := 1; i < len(match); i++ {
		n, _ := strconv.ParseInt(match[i], 10, 64) // digits only; too many give the largest number
		sum += min(n, 1<<40)
	}
	return sum
}
