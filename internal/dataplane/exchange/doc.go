// Package exchange holds one request and its growing answer while it passes the gateway.
//
// An Exchange is used by one goroutine, from listen to record, and again by the next request of its connection: no step may keep it or
// a slice of it. Steps read what earlier steps found and leave what they find themselves; every field says which step
// sets it. Package exchange also evaluates compiled texts (snapshot.Text) against the request, since all that they can
// refer to is here. It decides nothing and writes nothing to a client.
package exchange
