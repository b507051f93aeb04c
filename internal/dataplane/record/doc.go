// Package record keeps what is to be known of an exchange after it: its line in the access log and its numbers.
//
// It is the last step of every plan, also of refused requests and of those that met no route. It does no more than copy a
// line into a buffer and add to counters: a goroutine of the Log writes the buffer to its file. When the file is slower
// than the requests, lines are dropped and counted; a request never waits for a disk. It must not change the answer.
//
// Lock: Log.mu guards the buffers and is held only to copy a line or to exchange two slices. No other lock is taken
// meanwhile.
package record
