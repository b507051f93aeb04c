package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc/PID/stat. The kernel's USER_HZ is 100 on every architecture Go runs on.
const tick = time.Second / 100

// usage is the CPU time a row's processes have taken since they began. The sum is what the scheduler counted exactly;
// its parts are split by the kernel's sampling clock, unless the kernel does full accounting.
type usage struct {
	user, system time.Duration
	scheduled    time.Duration // the same sum from schedstat, of the threads still alive; 0 when the kernel keeps none
}

func (u usage) total() time.Duration { return u.user + u.system }

func (u usage) minus(v usage) usage {
	return usage{u.user - v.user, u.system - v.system, u.scheduled - v.scheduled}
}

// memory is resident memory in bytes. Pages that several processes share count once for each.
type memory struct{ now, peak int64 }

// stat is what we read of /proc/PID/stat.
type stat struct {
	parent       int
	user, system time.Duration
}

// parseStat reads a line of /proc/PID/stat. The second field, the command's name, may itself hold spaces and brackets.
func parseStat(line []byte) (stat, error) {
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, errors.New("parse stat: no command name")
	}
	fields := strings.Fields(string(line[end+1:])) // begins with field 3, the state
	if len(fields) < 13 {
		return stat{}, fmt.Errorf("parse stat: %d fields after the name, want at least 13", len(fields))
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return stat{}, fmt.Errorf("parse stat: parent: %w", err)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("parse stat: utime: %w", err)
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("parse stat: stime: %w", err)
	}
	return stat{parent, time.Duration(user) * tick, time.Duration(system) * tick}, nil
}

// parseSchedstat reads the time on a CPU from a line of /proc/PID/task/TID/schedstat.
func parseSchedstat(line []byte) (time.Duration, error) {
	first, _, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parse schedstat: %w", err)
	}
	return time.Duration(ns), nil
}

// colonField returns what stands after "name:" in a file such as /proc/PID/status, /proc/cpuinfo or /proc/meminfo; the
// first such line counts.
func colonField(file []byte, name string) (string, bool) {
	for line := range strings.Lines(string(file)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// kilobytes reads a field such as "VmRSS:  1234 kB", in bytes.
func kilobytes(file []byte, name string) (int64, error) {
	value, ok := colonField(file, name)
	if !ok {
		return 0, fmt.Errorf("no field %s", name)
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("field %s: %w", name, err)
	}
	return n << 10, nil
}

// tree returns pid and all its descendants.
func tree(pid int) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it ended since the listing
		}
		s, err := parseStat(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		children[s.parent] = append(children[s.parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// usageOf sums the CPU time of pids.
func usageOf(pids []int) (usage, error) {
	var sum usage
	for _, pid := range pids {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return usage{}, err
		}
		s, err := parseStat(line)
		if err != nil {
			return usage{}, err
		}
		sum.user += s.user
		sum.system += s.system
		sum.scheduled += scheduled(pid)
	}
	return sum, nil
}

// scheduled is a cross-check only: whatever cannot be read counts as nothing.
func scheduled(pid int) time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var sum time.Duration
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if d, err := parseSchedstat(line); err == nil {
			sum += d
		}
	}
	return sum
}

// memoryOf sums the resident memory of pids.
func memoryOf(pids []int) (memory, error) {
	var sum memory
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return memory{}, err
		}
		now, err := kilobytes(status, "VmRSS")
		if err != nil {
			return memory{}, err
		}
		peak, err := kilobytes(status, "VmHWM")
		if err != nil {
			return memory{}, err
		}
		sum.now += now
		sum.peak += peak
	}
	return sum, nil
}
