package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The failures that a caller must choose between.
var (
	// ErrNotFound: there is no document of that kind and key.
	ErrNotFound = errors.New("no such document")
	// ErrReadOnly: a View tried to write.
	ErrReadOnly = errors.New("a view cannot write; use Update")
	// ErrListing: the transaction was used by the function given to List.
	ErrListing = errors.New("the transaction is busy with List; use it after List has returned")
	// ErrDone: the transaction was used after its View or Update had ended.
	ErrDone = errors.New("the transaction has ended")
)

// Store keeps documents. It may be used by many goroutines.
type Store interface {
	// View reads one state of the store: what others write meanwhile does not show. The error of fn is returned as it is.
	View(ctx context.Context, fn func(Tx) error) error
	// Update writes all that fn puts and deletes, durably, or nothing of it: nothing when fn fails, when ctx ends before
	// the commit, or when the process dies. Updates run one after another, so fn must not start another one. On a conflict
	// fn may run again, from the beginning. The error of fn is returned as it is.
	Update(ctx context.Context, fn func(Tx) error) error
	// Close waits for what is under way and lets go of the store.
	Close() error
}

// Tx is one transaction. It belongs to the goroutine and the call of the function that got it.
//
// Kinds and keys are valid UTF-8 of 1 to MaxName bytes without NUL. Bytes that are passed in are copied or written before
// the call returns; bytes that come out belong to the caller.
type Tx interface {
	// Get gives a document, else ErrNotFound.
	Get(kind, key string) ([]byte, error)
	// Put writes a document over what was there. A document may be empty; nil is the empty document.
	Put(kind, key string, doc []byte) error
	// Delete removes a document. It is no error when there is none.
	Delete(kind, key string) error
	// List calls fn with each document of a kind whose key begins with prefix, in the order of the keys' bytes, until fn
	// returns an error, which List returns as it is. fn must not use the Tx.
	List(kind, prefix string, fn func(key string, doc []byte) error) error
}

// MaxName is the longest kind or key in bytes.
const MaxName = 1024

// CheckName says what keeps a kind or key from being one. Implementations call it, so that all refuse the same names.
func CheckName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the document's %s is empty", what)
	case len(name) > MaxName:
		return fmt.Errorf("the document's %s has %d bytes; the longest is %d", what, len(name), MaxName)
	case strings.IndexByte(name, 0) >= 0 || !utf8.ValidString(name):
		return fmt.Errorf("the document's %s %q is not UTF-8 text without NUL", what, name)
	}
	return nil
}
