// Package test tries the gateway at its public doors only: the command, the sockets, the files.
//
// It holds no product code. Scripts in script/ run the real binary; the other tests run a whole gateway in this process,
// so that they can count its goroutines and descriptors and let the race detector watch. It must not look inside the
// gateway: a behaviour that cannot be seen from outside belongs to the package that has it.
package test
