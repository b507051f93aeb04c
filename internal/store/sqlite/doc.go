// Package sqlite keeps a store's documents in one SQLite file.
//
// One connection writes, a few read: the file is in WAL mode, so that readers and the writer do not wait for each other,
// and a commit returns when the disk has it. The file belongs to one process at a time, held by a lock beside it, and to
// Gatehouse: a file that is damaged, of another program, or of a newer Gatehouse is refused and left as it is. The package
// knows nothing of what the documents mean.
package sqlite
