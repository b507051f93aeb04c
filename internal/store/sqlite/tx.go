package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"gatehouse/internal/store"
)

// tx is the store.Tx.
type tx struct {
	side     *side
	ctx      context.Context //nolint:containedctx // a transaction lives within one call that has it
	sql      *sql.Tx
	stmts    [verbs]*sql.Stmt // the side's, bound to this transaction when first used
	readOnly bool
	listing  bool
	done     bool
}

// use says whether the transaction can do what is asked of it now. It also gives the context for the statement: one that
// cannot end, as the driver starts a goroutine for each statement otherwise; ctx is asked here instead.
func (t *tx) use(kind, key string) (context.Context, error) {
	switch {
	case t.done:
		return nil, store.ErrDone
	case t.listing:
		return nil, store.ErrListing
	}
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	if err := store.CheckName("kind", kind); err != nil {
		return nil, err
	}
	if err := store.CheckName("key", key); err != nil {
		return nil, err
	}
	return context.WithoutCancel(t.ctx), nil
}

// Get is store.Tx's.
func (t *tx) Get(kind, key string) ([]byte, error) {
	ctx, err := t.use(kind, key)
	if err != nil {
		return nil, fmt.Errorf("get %s %q: %w", kind, key, err)
	}
	var doc []byte
	err = t.stmt(ctx, get).QueryRowContext(ctx, kind, key).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get %s %q: %w", kind, key, err)
	}
	if doc == nil {
		doc = []byte{}
	}
	return doc, nil
}

// Put is store.Tx's.
func (t *tx) Put(kind, key string, doc []byte) error {
	if doc == nil {
		doc = []byte{}
	}
	if err := t.exec(put, kind, key, doc); err != nil {
		return fmt.Errorf("put %s %q: %w", kind, key, err)
	}
	return nil
}

// Delete is store.Tx's.
func (t *tx) Delete(kind, key string) error {
	if err := t.exec(del, kind, key); err != nil {
		return fmt.Errorf("delete %s %q: %w", kind, key, err)
	}
	return nil
}

func (t *tx) exec(v verb, kind, key string, more ...any) error {
	ctx, err := t.use(kind, key)
	if err != nil {
		return err
	}
	if t.readOnly {
		return store.ErrReadOnly
	}
	_, err = t.stmt(ctx, v).ExecContext(ctx, append([]any{kind, key}, more...)...)
	return err
}

// List is store.Tx's.
func (t *tx) List(kind, prefix string, fn func(key string, doc []byte) error) error {
	ctx, err := t.use(kind, "x"+prefix)
	if err != nil {
		return fmt.Errorf("list %s: %w", kind, err)
	}
	t.listing = true
	defer func() { t.listing = false }()
	rows, err := t.stmt(ctx, list).QueryContext(ctx, kind, prefix)
	if err != nil {
		return fmt.Errorf("list %s: %w", kind, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var key string
		var doc []byte
		if err := rows.Scan(&key, &doc); err != nil {
			return fmt.Errorf("list %s: %w", kind, err)
		}
		if !strings.HasPrefix(key, prefix) {
			break
		}
		if doc == nil {
			doc = []byte{}
		}
		if err := fn(key, doc); err != nil {
			return err
		}
		if err := t.ctx.Err(); err != nil {
			return fmt.Errorf("list %s: %w", kind, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list %s: %w", kind, err)
	}
	return nil
}

func (t *tx) stmt(ctx context.Context, v verb) *sql.Stmt {
	if t.stmts[v] == nil {
		t.stmts[v] = t.sql.StmtContext(ctx, t.side.stmts[v])
	}
	return t.stmts[v]
}
