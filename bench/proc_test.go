package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

const statLine = "4242 (a (odd) name) S 17 4242 4242 0 -1 4194304 100 0 0 0 250 1234 3 4 20 0 5 0 99 1000 200 18446744073709551615\n"

func TestParseStat(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       stat
		wantErr    bool
	}{
		{name: "brackets and spaces in the name", line: statLine, want: stat{17, 2500 * time.Millisecond, 12340 * time.Millisecond}},
		{name: "no name", line: "4242 S 17", wantErr: true},
		{name: "cut short", line: "4242 (name) S 17 1 2", wantErr: true},
		{name: "no number", line: "1 (n) S x 1 1 1 1 1 1 1 1 1 1 1 1", wantErr: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStat([]byte(tt.line))
			if (err != nil) != tt.wantErr || got != tt.want {
				t.Errorf("got %+v, %v; want %+v, error: %v", got, err, tt.want, tt.wantErr)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statLine))
	f.Add([]byte(") ) ("))
	f.Fuzz(func(t *testing.T, line []byte) {
		if got, err := parseStat(line); err != nil && got != (stat{}) {
			t.Errorf("%+v beside error %v", got, err)
		}
	})
}

func TestParseSchedstat(t *testing.T) {
	if got, err := parseSchedstat([]byte("123456789 55 66\n")); err != nil || got != 123456789 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := parseSchedstat([]byte("\n")); err == nil {
		t.Error("an empty line is no error")
	}
}

func TestKilobytes(t *testing.T) {
	status := []byte("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nBad:\tkB\n")
	if got, err := kilobytes(status, "VmRSS"); err != nil || got != 1<<20 {
		t.Errorf("VmRSS: got %d, %v; want %d", got, err, 1<<20)
	}
	for _, name := range []string{"VmSwap", "Bad"} {
		if _, err := kilobytes(status, name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTreeHoldsChildrenAndNoOthers(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip(err) // not Linux
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill() // and so Wait reports it
		_ = child.Wait()
	}()
	pids, err := tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(pids, os.Getpid()) || !slices.Contains(pids, child.Process.Pid) || slices.Contains(pids, os.Getppid()) {
		t.Errorf("tree of %d with child %d is %v", os.Getpid(), child.Process.Pid, pids)
	}
}

// The test's own process is one whose figures are known to move.
func TestUsageAndMemoryOfThisProcess(t *testing.T) {
	before, err := usageOf([]int{os.Getpid()})
	if err != nil {
		t.Skip(err) // not Linux
	}
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
		continue
	}
	after, err := usageOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if used := after.minus(before).total(); used < 20*time.Millisecond {
		t.Errorf("200 ms of work took %s of CPU", used)
	}
	mem, err := memoryOf([]int{os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if mem.now < 1<<20 || mem.peak < mem.now {
		t.Errorf("memory %+v", mem)
	}
}
