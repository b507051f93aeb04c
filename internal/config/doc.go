// Package config reads gatehouse.yaml, the daemon's own file, into definitions and a few settings.
//
// It stands at the beginning of the way of a definition, before package compile: it reads the file and the files that it
// names (OpenAPI documents, authorities, ${file:…}), fills in ${…}, and reports everything that is wrong with them at
// once, each with its line and column. It is strict: what it does not know, it refuses. It must not serve, compile or
// store anything, and no secret may get into a diagnostic: messages show what is written in the file, never what a
// reference stands for.
package config
