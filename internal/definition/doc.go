// Package definition holds what a user defines, as plain data: the nouns that both API families share, and the
// diagnostics that say what is wrong with them.
//
// The families have packages of their own: v1 for REST APIs, v2 for HTTP APIs. The control plane fills these types,
// package compile reads them. Nothing here parses, decides or serves.
package definition
