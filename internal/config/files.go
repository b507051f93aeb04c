package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The most bytes that are read of a document, and of any other file.
const (
	maxDocument = 64 << 20
	maxText     = 1 << 20
)

// errNotRegular is said of folders, pipes and devices: reading them may never end.
var errNotRegular = errors.New("it is not a regular file")

// files reads the files that a config names and remembers which they were.
type files struct {
	dir   string
	list  *[]string
	seen  map[string]bool
	texts map[string]string
}

// path makes a name in the config relative to the config's folder.
func (f *files) path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(f.dir, name)
}

// read gives a regular file of at most so many bytes. The error does not repeat the path, which may come from a
// reference.
func (f *files) read(path string, most int64) ([]byte, error) {
	if !f.seen[path] {
		f.seen[path] = true
		*f.list = append(*f.list, path)
	}
	data, err := readRegular(path, most)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, pathErr.Err
	}
	return data, err
}

func readRegular(path string, most int64) (_ []byte, err error) {
	// Opening a pipe would wait for its writer, so look first.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("it has more than the %d bytes allowed", most)
	}
	return data, nil
}

// text is read for ${file:…}: without the line break at the end, and once for each file.
func (f *files) text(name string) (string, error) {
	path := f.path(name)
	if s, ok := f.texts[path]; ok {
		return s, nil
	}
	data, err := f.read(path, maxText)
	if err != nil {
		return "", err
	}
	s := cutLineBreak(string(data))
	f.texts[path] = s
	return s, nil
}

func cutLineBreak(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
		if n > 1 && s[n-2] == '\r' {
			s = s[:n-2]
		}
	}
	return s
}
