// Package compile turns definitions into a snapshot, and says everything that is wrong with them.
//
// It is the only package that knows both sides of the waist. It is pure: the same input gives the same snapshot and the
// same diagnostics, no file is opened and no clock is read. Everything that can be parsed is parsed here, for each
// stage with its variables filled in, so that nothing is left to parse when a request comes.
package compile
