// Package transform makes the backend's request out of the client's, and the client's response out of the backend's.
//
// RequestStep stands before integrate, ResponseStep after it. Here is decided which headers pass, which are dropped or
// renamed and which the gateway adds, and what mappings set. It never calls a backend and writes no error to a client;
// and no byte that could end a line or begin a second message ever gets into a request line or a header.
package transform
