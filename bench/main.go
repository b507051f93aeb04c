// Command bench measures Gatehouse side by side with nginx and a raw TCP forwarder, in one run on one machine, and
// holds it to the project's own limits of speed, memory and calm under reload. It stands outside the gateway: it
// builds the real binary, writes real definitions, and drives both from other processes, so it must import nothing
// of the gateway's packages. Every figure in RESULTS.md comes from here, never from a hand.
//
//	go run ./bench [proxy]   CPU a request, side by side
//	go run ./bench load      time to check 10,000 operations, memory with 100,000 keys
//	go run ./bench reload    a reload every 100 ms under full load
//	go run ./bench start     time to the first answer
//	go run ./bench all       all of them
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are what the command line can change.
type options struct {
	rows     []string      // ids of the rows to measure; empty: all
	rounds   int           // how often each row is measured
	duration time.Duration // one measured run of wrk, in whole seconds
	warmup   time.Duration // the run before it, in whole seconds
	reload   time.Duration // how long the reload bench lasts, in whole seconds
	results  string        // the file that sections are written to
}

// bench is one command: it measures, and returns its section of RESULTS.md.
type bench struct {
	name string
	run  func(ctx context.Context, l *lab, o options) (string, error)
}

func benches() []bench {
	return []bench{{"proxy", runProxy}, {"load", runLoad}, {"reload", runReload}, {"start", runStart}}
}

func main() {
	err := run(os.Args[1:], os.Stdout)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "bench: stopped")
		os.Exit(1)
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errUsage is the kind of error that a wrong command line gets.
var errUsage = errors.New("wrong usage")

// run takes the command line apart. Two commands are modes of this binary that the benches start as processes of
// their own, and that end at the first signal: the backend, and the raw TCP forwarder.
func run(args []string, out io.Writer) error {
	command := "proxy"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	switch {
	case command == "backend" && len(args) == 1:
		return serveBackend(args[0])
	case command == "forward" && len(args) == 2:
		return serveForward(args[0], args[1])
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	chosen, err := chooseBenches(command)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	return runBenches(ctx, l, chosen, o, out)
}

func runBenches(ctx context.Context, l *lab, chosen []bench, o options, out io.Writer) error {
	for _, b := range chosen {
		section, err := b.run(ctx, l, o)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		fmt.Fprintln(out, section)
		if len(o.rows) > 0 {
			progress("only some rows were measured: the results file is left as it is")
			continue
		}
		file := o.results
		if file == "" {
			file = filepath.Join(l.module, "bench", "RESULTS.md")
		}
		if err := writeSection(file, b.name, section); err != nil {
			return fmt.Errorf("%s: write results: %w", b.name, err)
		}
		progress("written to %s", file)
	}
	return nil
}

func chooseBenches(command string) ([]bench, error) {
	all := benches()
	if command == "all" {
		return all, nil
	}
	for _, b := range all {
		if b.name == command {
			return []bench{b}, nil
		}
	}
	return nil, fmt.Errorf("%w: no bench is called %q; there are proxy, load, reload, start and all", errUsage, command)
}

func parseOptions(args []string) (options, error) {
	var o options
	var rows string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&rows, "rows", "", "measure only these rows, by id, separated by commas: "+strings.Join(rowIDs(), ","))
	flags.IntVar(&o.rounds, "rounds", 5, "how often each row is measured")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "length of one measured run")
	flags.DurationVar(&o.warmup, "warmup", 2*time.Second, "length of the run before each measured one")
	flags.DurationVar(&o.reload, "reload", 30*time.Second, "length of the load under which the reload bench reloads")
	flags.StringVar(&o.results, "results", "", "file to write the section to (default bench/RESULTS.md)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%w: %q is left over; flags come after the bench's name", errUsage, flags.Arg(0))
	}
	if o.rounds < 1 {
		return o, fmt.Errorf("%w: -rounds must be at least 1", errUsage)
	}
	for _, d := range []time.Duration{o.duration, o.warmup, o.reload} {
		if d < time.Second || d%time.Second != 0 {
			return o, fmt.Errorf("%w: %s is no whole number of seconds, which is what wrk takes", errUsage, d)
		}
	}
	if rows != "" {
		o.rows = strings.Split(rows, ",")
	}
	return o, checkRowIDs(o.rows)
}

// progress tells the person at the terminal what goes on. Standard output stays the report's.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
