package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// The names in the data directory.
const (
	fileName = "gatehouse.db"
	newName  = "gatehouse.db.new"
	lockName = "gatehouse.lock"
)

// applicationID marks a file as Gatehouse's, in the place that SQLite's header has for it: "GATE".
const applicationID = 0x47415445

var errLocked = errors.New("another process holds it")

// prepare makes sure that the directory holds a file of ours, making both when there is none yet.
func prepare(ctx context.Context, path string) error {
	err := checkHeader(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Stat(path + suffix); err == nil {
			return fmt.Errorf("%s is missing but %s is there, which holds its last changes: put the file back, "+
				"or move the other one away to start empty", path, fileName+suffix)
		}
	}
	return create(ctx, path)
}

// checkHeader reads the header without SQLite, which might write to a file that is not ours.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	var h [72]byte
	if _, err := io.ReadFull(f, h[:]); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if !bytes.HasPrefix(h[:], []byte("SQLite format 3\x00")) {
		return fmt.Errorf("%s is not an SQLite file, or is damaged at its beginning: restore it from a backup, "+
			"or move it away to start empty", path)
	}
	if binary.BigEndian.Uint32(h[68:]) != applicationID {
		return fmt.Errorf("%s is an SQLite file of another program: choose another data directory", path)
	}
	return nil
}

// create makes an empty file of ours under another name and renames it, so that a file of the real name is always whole.
func create(ctx context.Context, path string) (err error) {
	fresh := filepath.Join(filepath.Dir(path), newName)
	for _, left := range []string{fresh, fresh + "-journal"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what an earlier start left: %w", err)
		}
	}
	f, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create the store's file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create %s: %w", fresh, err)
	}
	if err := mark(ctx, fresh); err != nil {
		return fmt.Errorf("create %s: %w", fresh, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("create the store's file: %w", err)
	}
	syncDir(filepath.Dir(path))
	return nil
}

// syncDir has the disk know the new name. Where a directory cannot be synced, the file system does without.
func syncDir(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// mark writes the header.
func mark(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dataSource(path, url.Values{"_pragma": {"synchronous(FULL)"}}))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return errors.Join(err, db.Close())
}

// dataSource gives the driver's name of a file. The path is escaped, as "?" and "%" would mean something in it.
func dataSource(path string, query url.Values) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), OmitHost: true, RawQuery: query.Encode()}
	return u.String()
}
