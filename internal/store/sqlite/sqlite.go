package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"gatehouse/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is how many views can run at once; each connection may hold a page cache of cacheKiB.
const (
	readers  = 4
	cacheKiB = 1024
)

// Open opens the store in the directory dir, making both when they are missing (modes 0700 and 0600), and brings an older
// file up to date. A file that is damaged, of another program or of a newer Gatehouse is an error and is left as it is, and
// so is a directory that another process uses.
func Open(ctx context.Context, dir string) (store.Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("the data directory %s is used by another Gatehouse: stop that one, or choose another directory",
			dir)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	path := filepath.Join(dir, fileName)
	db := &database{lock: lock}
	if err := db.open(ctx, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// database is the store.Store.
type database struct {
	lock *os.File
	// write has one connection, read has several that cannot write.
	write, read side
}

// side is a pool of connections with its statements.
type side struct {
	db    *sql.DB
	stmts [verbs]*sql.Stmt
}

func (d *database) open(ctx context.Context, path string) error {
	if err := prepare(ctx, path); err != nil {
		return err
	}
	db, err := connect(path, 1, "immediate")
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	d.write.db = db
	if err := check(ctx, db); err != nil {
		return fmt.Errorf("%s is damaged (%w): restore it from a backup, or move it and its -wal file away to start empty",
			path, err)
	}
	if err := migrate(ctx, db, path); err != nil {
		return err
	}
	if d.read.db, err = connect(path, readers, "deferred", "query_only(1)"); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := errors.Join(d.write.prepare(ctx), d.read.prepare(ctx)); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

// connect opens a pool of n connections at most.
func connect(path string, n int, begin string, pragmas ...string) (*sql.DB, error) {
	pragmas = append(pragmas, "busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)",
		"journal_size_limit(16777216)", fmt.Sprintf("cache_size(-%d)", cacheKiB))
	db, err := sql.Open("sqlite", dataSource(path, url.Values{"mode": {"rw"}, "_txlock": {begin}, "_pragma": pragmas}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// check has SQLite look over the whole file.
func check(ctx context.Context, db *sql.DB) error {
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return errors.New(found)
	}
	return nil
}

// migrate brings the file up to date, forwards only.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of %s: %w", path, err)
	}
	if has > knows {
		return fmt.Errorf("%s was written by a newer Gatehouse (its version is %d, this one knows %d): run the newer one, "+
			"or choose another data directory", path, has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring %s up to date: %w", path, err)
	}
	return nil
}

// verb is what a statement does.
type verb uint8

const (
	get verb = iota
	put
	del
	list
	verbs
)

// text gives the verb's SQL.
func (v verb) text() string {
	return [verbs]string{
		get:  "SELECT doc FROM documents WHERE kind = ? AND key = ?",
		put:  "INSERT INTO documents (kind, key, doc) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET doc = excluded.doc",
		del:  "DELETE FROM documents WHERE kind = ? AND key = ?",
		list: "SELECT key, doc FROM documents WHERE kind = ? AND key >= ? ORDER BY key",
	}[v]
}

func (s *side) prepare(ctx context.Context) error {
	for v := range verbs {
		stmt, err := s.db.PrepareContext(ctx, v.text())
		if err != nil {
			return err
		}
		s.stmts[v] = stmt
	}
	return nil
}

// View is store.Store's.
func (d *database) View(ctx context.Context, fn func(store.Tx) error) error {
	return d.read.run(ctx, true, fn)
}

// Update is store.Store's.
func (d *database) Update(ctx context.Context, fn func(store.Tx) error) error {
	return d.write.run(ctx, false, fn)
}

func (s *side) run(ctx context.Context, readOnly bool, fn func(store.Tx) error) error {
	sqlTx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	t := &tx{side: s, ctx: ctx, sql: sqlTx, readOnly: readOnly}
	defer func() {
		t.done = true
		_ = sqlTx.Rollback() // nothing is left to do after a commit
	}()
	if err := fn(t); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Close is store.Store's. Closing the last connection writes the WAL back into the file.
func (d *database) Close() error {
	var errs []error
	for _, s := range []*side{&d.read, &d.write} {
		if s.db != nil {
			errs = append(errs, s.db.Close())
		}
	}
	return errors.Join(append(errs, d.lock.Close())...)
}
