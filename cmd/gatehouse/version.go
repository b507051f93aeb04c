package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the linker for a release.
var release string //nolint:gochecknoglobals // the linker needs it

type versionCmd struct{}

// Run prints the version, the commit and the Go version.
func (versionCmd) Run(s streams) error {
	fmt.Fprintf(s.out, "gatehouse %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// version is the release, else the commit that was built.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, kv := range info.Settings {
		if kv.Key == "vcs.revision" && len(kv.Value) >= 12 {
			return "devel-" + kv.Value[:12]
		}
	}
	return "devel"
}
