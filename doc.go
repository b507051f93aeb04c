// Package gatehouse is the root of the module and holds no code of the gateway: its tests keep the rules that hold for
// all packages.
//
// The rules are which package may import which, that every package says in one comment what it is for, how long files
// and functions may get, and who may write an error to a client. They read the source itself, so `go test ./...` is
// enough to have them checked. ARCHITECTURE.md says why each rule is there.
package gatehouse
