package publish

import (
	"time"

	"gatehouse/internal/compile"
	"gatehouse/internal/config"
	"gatehouse/internal/definition"
	"gatehouse/internal/snapshot"
)

// LookupEnv answers ${NAME} in a config, as os.LookupEnv does.
type LookupEnv func(name string) (string, bool)

// Result is a config as read and compiled. Snapshot must be served only without errors among the diagnostics.
type Result struct {
	File        *config.File
	Snapshot    *snapshot.Snapshot
	Diagnostics definition.Diagnostics
}

// Read loads a gatehouse.yaml or an OpenAPI document and compiles what it defines. All diagnostics are collected, even
// when the file itself has errors, as far as anything could be read.
func Read(path string, env LookupEnv, now time.Time) Result {
	f, diags := config.Load(path, env)
	s, more := compile.Compile(compile.Input{
		REST: f.REST, HTTP: f.HTTP, Mappings: f.Mappings, Upstreams: f.Upstreams,
		UsagePlans: f.UsagePlans, APIKeys: f.APIKeys, Account: f.Account,
		LogFormat: f.Log.Access.Format,
	}, now)
	diags = append(diags, more...)
	diags.Sort()
	return Result{File: f, Snapshot: s, Diagnostics: diags}
}
