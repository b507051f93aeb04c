package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// limit is one promise beside what was measured.
type limit struct {
	what     string
	value    float64
	measured bool // false: a row is missing or invalid
	most     float64
	unit     string
	digits   int // behind the point
}

func (m limit) reached() bool { return m.measured && m.value <= m.most }

// limitTable renders promises as a table.
func limitTable(limits ...limit) string {
	var t strings.Builder
	t.WriteString("| | measured | at most | reached |\n| --- | ---: | ---: | --- |\n")
	for _, m := range limits {
		value, reached := "not measured", "–"
		if m.measured {
			value = strings.TrimSpace(fmt.Sprintf("%.*f %s", m.digits, m.value, m.unit))
		}
		switch {
		case m.reached():
			reached = "yes"
		case m.measured:
			reached = "no"
		}
		most := strings.TrimSpace(fmt.Sprintf("%.*f %s", m.digits, m.most, m.unit))
		fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", m.what, value, most, reached)
	}
	return t.String()
}

// proxySection renders the side by side rows.
func proxySection(results []result, machine string, o options) string {
	var t strings.Builder
	t.WriteString("## Proxying, side by side\n\n")
	fmt.Fprintf(&t, "wrk → row → backend on loopback, %d connections, a 1 KiB answer; the row on one CPU, wrk and the "+
		"backend on another; %d alternating rounds of %s after %s of warming up, each row started anew in each. "+
		"CPU is microseconds a request. A line shows the round with the least CPU; “most” is the round with the most. "+
		"Where the load is slower than the row, “busy” is below 100 %% and requests a second are the load's.\n\n",
		connections, o.rounds, o.duration, o.warmup)
	t.WriteString("| row | CPU | most | user | system | requests/s | busy | p50 | p99 | RSS MiB | peak MiB |\n")
	t.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range results {
		t.WriteString(proxyLine(r))
	}
	t.WriteString("\n" + limitTable(proxyLimits(results)...) + "\n")
	for _, r := range results {
		if n := r.errors(); n > 0 {
			fmt.Fprintf(&t, "- %s: invalid, %d requests failed.\n", r.title, n)
		}
		if r.best().logged > 0 {
			fmt.Fprintf(&t, "- %s: at least %.2f %% of the requests wrk counted have their access log line; those under way "+
				"when it stops are logged and not counted.\n", r.title, 100*r.leastLogged())
		}
	}
	fmt.Fprintf(&t, "- CPU is utime + stime of /proc/PID/stat; schedstat differs by at most %.1f %%.\n\n", 100*mostDrift(results))
	t.WriteString(machine + "\n")
	return t.String()
}

func proxyLine(r result) string {
	s := r.best()
	title := r.title
	if r.errors() > 0 {
		title += " (**invalid**)"
	}
	const mib = 1 << 20
	return fmt.Sprintf("| %s | %.2f | %.2f | %.2f | %.2f | %.0f | %.0f %% | %s | %s | %.1f | %.1f |\n",
		title, s.cpuMicros(), r.worst(), s.micros(s.cpu.user), s.micros(s.cpu.system), s.load.rate,
		100*float64(s.cpu.total())/float64(s.wall), s.load.p50.Round(time.Microsecond), s.load.p99.Round(time.Microsecond),
		float64(s.mem.now)/mib, float64(s.mem.peak)/mib)
}

func proxyLimits(results []result) []limit {
	valid := map[string]sample{}
	for _, r := range results {
		if r.errors() == 0 {
			valid[r.id] = r.best()
		}
	}
	all, allOK := valid[rowAll]
	nginx, nginxOK := valid[rowNginx]
	large, largeOK := valid[rowLarge]
	limits := []limit{
		{what: "CPU: Gatehouse, everything on ÷ nginx proxying with nothing on", most: 1.30, digits: 2},
		{what: "CPU: Gatehouse, everything on, user space", most: 5, unit: "µs", digits: 2},
		{what: "CPU: with 10,000 routes and 100,000 keys ÷ with ten of each", most: 1.10, digits: 2},
	}
	if allOK && nginxOK {
		limits[0].value, limits[0].measured = all.cpuMicros()/nginx.cpuMicros(), true
	}
	if allOK {
		limits[1].value, limits[1].measured = all.micros(all.cpu.user), true
	}
	if allOK && largeOK {
		limits[2].value, limits[2].measured = large.cpuMicros()/all.cpuMicros(), true
	}
	return limits
}

func mostDrift(results []result) float64 {
	most := 0.0
	for _, r := range results {
		most = max(most, r.drift())
	}
	return most
}

// resultsHead begins a new results file.
const resultsHead = `# What the benches measured

Written by ` + "`make bench`" + ` and ` + "`go run ./bench all`" + `, never by hand. Each section says where it was measured.
`

// writeSection replaces the section of that name in the results file and leaves the others alone.
func writeSection(file, name, body string) error {
	old, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		old = []byte(resultsHead)
	} else if err != nil {
		return err
	}
	text, err := replaceSection(string(old), name, body)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// replaceSection puts body between the markers of a section, which it adds at the end when they are missing.
func replaceSection(text, name, body string) (string, error) {
	open, end := "<!-- section: "+name+" -->\n", "<!-- end -->\n"
	section := open + strings.TrimRight(body, "\n") + "\n" + end
	before, rest, found := strings.Cut(text, open)
	if !found {
		return strings.TrimRight(text, "\n") + "\n\n" + section, nil
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("section %s has no end marker; put one back, or remove the file", name)
	}
	return before + section + after, nil
}
