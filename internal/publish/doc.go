// Package publish carries definitions to the data plane: it reads the config, compiles it, and hands snapshots over.
//
// It watches the files and publishes again when one changes or when it is told to. A definition that does not compile
// never replaces one that does: the old snapshot is served on, and the status says why. It serves no request.
package publish
