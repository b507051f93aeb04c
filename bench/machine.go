package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine is the paragraph that says where and with what a section was measured.
func (l *lab) machine(ctx context.Context) string {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo") // what cannot be read is said to be unknown
	meminfo, _ := os.ReadFile("/proc/meminfo")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	loadavg, _ := os.ReadFile("/proc/loadavg")
	model, ok := colonField(cpuinfo, "model name")
	if !ok {
		model = "unknown CPU, " + runtime.GOARCH
	}
	ram := "unknown memory"
	if n, err := kilobytes(meminfo, "MemTotal"); err == nil {
		ram = fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	average, _, _ := strings.Cut(string(loadavg), " ")
	parts := []string{
		model, fmt.Sprintf("%d CPUs", runtime.NumCPU()), ram, "Linux " + strings.TrimSpace(string(kernel)),
		runtime.Version(),
	}
	if l.nginx != "" {
		parts = append(parts, version(ctx, l.nginx, "nginx version: "))
	}
	if l.wrk != "" {
		parts = append(parts, version(ctx, l.wrk, ""))
	}
	parts = append(parts, "commit "+l.commit(ctx), "load average at the end "+average,
		time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	return strings.Join(parts, "; ") + "."
}

// version is the first line that a tool prints for -v. wrk exits with 1 after it, so the status is not looked at.
func version(ctx context.Context, tool, prefix string) string {
	out, _ := exec.CommandContext(ctx, tool, "-v").CombinedOutput()
	line, _, _ := strings.Cut(string(out), "\n")
	line, _, _ = strings.Cut(line, " Copyright")
	return strings.TrimPrefix(strings.TrimSpace(line), prefix)
}

// commit is the short hash of what was measured, with a mark when the files differ from it.
func (l *lab) commit(ctx context.Context) string {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = l.module
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	hash, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "none"
	}
	changed, err := git("status", "--porcelain", "--", ".", ":!bench/RESULTS.md")
	if err != nil || changed != "" {
		return hash + " with changes"
	}
	return hash
}
