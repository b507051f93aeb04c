package main

import (
	"fmt"
	"time"

	"gatehouse/internal/definition"
	"gatehouse/internal/publish"
)

type checkCmd struct {
	Quiet bool     `short:"q" help:"Print errors and warnings only."`
	Files []string `arg:"" name:"file" help:"gatehouse.yaml files or OpenAPI documents."`
}

// Run checks every file by itself and prints all that is wrong with it.
func (c *checkCmd) Run(s streams) error {
	failed := false
	for _, file := range c.Files {
		r := publish.Read(file, s.lookupEnv, time.Now())
		for _, d := range r.Diagnostics {
			if c.Quiet && d.Severity == definition.Info {
				continue
			}
			fmt.Fprintln(s.err, d)
		}
		failed = failed || r.Diagnostics.HasErrors()
		fmt.Fprintln(s.out, summary(file, r))
	}
	if failed {
		return errInput
	}
	return nil
}

// summary is the line that ends the report on one file.
func summary(file string, r publish.Result) string {
	d := r.Diagnostics
	counts := fmt.Sprintf("%s, %s", plural(d.Count(definition.Error), "error"), plural(d.Count(definition.Warning), "warning"))
	if d.HasErrors() {
		return fmt.Sprintf("%s: not served: %s", file, counts)
	}
	apis := len(r.Snapshot.APIs)
	return fmt.Sprintf("%s: ok: %s, %s, %s (%s)", file, plural(apis, "API"), plural(len(r.Snapshot.Routes), "route"),
		plural(r.Snapshot.Keys.Len(), "key"), counts)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
