package store

import (
	"context"
	"fmt"
	"iter"
)

// Shelf is all documents of one kind, for an owner that keeps them in memory and saves what changed. Its methods name no
// type of this package, so that the owner can ask for them by an interface of its own.
type Shelf struct {
	store Store
	kind  string
}

// NewShelf gives the documents of kind in s. The shelf does not close s.
func NewShelf(s Store, kind string) *Shelf { return &Shelf{store: s, kind: kind} }

// Load calls fn with every document until it returns an error.
func (s *Shelf) Load(ctx context.Context, fn func(key string, doc []byte) error) error {
	err := s.store.View(ctx, func(tx Tx) error { return tx.List(s.kind, "", fn) })
	if err != nil {
		return fmt.Errorf("load %s documents: %w", s.kind, err)
	}
	return nil
}

// Save deletes the documents of gone, then writes changed, all in one transaction. changed may be ranged over again on a
// conflict; its bytes are used only until it goes on.
func (s *Shelf) Save(ctx context.Context, gone []string, changed iter.Seq2[string, []byte]) error {
	err := s.store.Update(ctx, func(tx Tx) error {
		for _, key := range gone {
			if err := tx.Delete(s.kind, key); err != nil {
				return err
			}
		}
		for key, doc := range changed {
			if err := tx.Put(s.kind, key, doc); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save %s documents: %w", s.kind, err)
	}
	return nil
}
