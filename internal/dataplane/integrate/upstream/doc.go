// Package upstream owns the connections to backends: one Upstream is the group of servers behind one backend host.
//
// It stands under the integrations that speak HTTP/1.1, at the end of a request's way in. It writes the request that
// an integration prepared, reads the answer, and tells apart every way in which that can fail. Message types and
// header parsing are fasthttp's; connections, framing of bodies, deadlines, retries and abandonment are its own.
//
// It must not know gateways: no AWS error, no snapshot, no mapping, and it neither adds nor strips headers beyond what
// framing a message needs. Deciding which headers are end-to-end is the integration's work.
//
// Locks: server.mu guards the idle connections, watch.mu one connection's call, Watcher.mu the list of connections,
// sweeper.mu the timer. sweeper.mu is held while server.mu or Watcher.mu is taken; no other two are held at once.
package upstream
