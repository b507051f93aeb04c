package main

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/daemon"
	"gatehouse/internal/publish"
)

type explainCmd struct {
	Host   string `help:"The request's Host header." default:"localhost"`
	Method string `arg:"" help:"The request's method."`
	Path   string `arg:"" help:"The request's path, with its query if it has one."`
	File   string `arg:"" optional:"" default:"gatehouse.yaml" help:"A gatehouse.yaml or an OpenAPI document."`
}

// Run prints where a request would go.
func (c *explainCmd) Run(s streams) error {
	r := publish.Read(c.File, s.lookupEnv, time.Now())
	if r.Diagnostics.HasErrors() {
		for _, d := range r.Diagnostics {
			fmt.Fprintln(s.err, d)
		}
		return errInput
	}
	text, ok, err := daemon.Explain(context.Background(), r.Snapshot, daemon.Question{Host: c.Host, Method: c.Method, Target: c.Path})
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, text)
	if !ok {
		return errInput
	}
	return nil
}
