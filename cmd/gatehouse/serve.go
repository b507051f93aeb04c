package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"gatehouse/internal/daemon"
	"gatehouse/internal/definition"
)

type serveCmd struct {
	File string `arg:"" optional:"" default:"gatehouse.yaml" help:"A gatehouse.yaml or an OpenAPI document."`
}

// Run serves until SIGTERM or SIGINT. SIGHUP reads the definitions again and reopens the access log.
func (c *serveCmd) Run(s streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	d, diags, err := daemon.New(ctx, daemon.Config{Path: c.File, Env: s.lookupEnv, Stderr: s.err, Version: version()})
	if diags.HasErrors() {
		for _, g := range diags {
			if g.Severity != definition.Info {
				fmt.Fprintln(s.err, g)
			}
		}
		fmt.Fprintf(s.err, "gatehouse: %s is not served: %s\n", c.File, plural(diags.Count(definition.Error), "error"))
		return errInput
	}
	if err != nil {
		return err
	}
	go func() {
		for range hangup {
			d.Reload()
		}
	}()
	return d.Run(ctx)
}
