// Command gatehouse is the API gateway: it serves, checks and explains definitions.
//
// This package turns the command line into calls and wires nothing itself beyond that: the running gateway is put
// together in package daemon.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// The exit statuses.
const (
	exitOK    = 0
	exitInput = 1
	exitUsage = 2
)

// cli is the command line. Field tags are the help that people read.
type cli struct {
	Serve      serveCmd      `cmd:"" help:"Run the gateway."`
	Check      checkCmd      `cmd:"" help:"Say what is wrong with definitions, without serving them."`
	Explain    explainCmd    `cmd:"" help:"Say which route, plan, limits and backend a request would get, or why none."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
}

// streams are what a command reads its environment from and writes to.
type streams struct {
	out, err  io.Writer
	lookupEnv func(string) (string, bool)
}

// errInput says that something is wrong with the input and was already told.
var errInput = errors.New("the input has errors")

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr, os.LookupEnv}))
}

// run is the whole program but for the process.
func run(args []string, s streams) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("gatehouse"),
		kong.Description("Runs AWS API Gateway definitions on your own machines."),
		kong.UsageOnError(),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "gatehouse:", err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(s.err, "gatehouse: %v\n    hint: `gatehouse --help` lists the commands, `gatehouse COMMAND --help` its options\n", err)
		return exitUsage
	}
	if err := ctx.Run(s, parser.Model); err != nil {
		if !errors.Is(err, errInput) {
			fmt.Fprintln(s.err, "gatehouse:", err)
		}
		return exitInput
	}
	return exitOK
}
