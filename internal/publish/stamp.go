package publish

import (
	"maps"
	"os"
	"time"
)

// stamp tells whether a file is the one that was read.
type stamp struct {
	size     int64
	modified time.Time
	// file tells one inode from another, so that a rename over the file is seen.
	file os.FileInfo
}

func stamps(files []string) map[string]stamp {
	out := make(map[string]stamp, len(files))
	for _, name := range files {
		out[name] = stampOf(name)
	}
	return out
}

// stampOf gives the zero stamp for a file that cannot be looked at.
func stampOf(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime(), info}
}

func (s stamp) same(o stamp) bool {
	if (s.file == nil) != (o.file == nil) || s.size != o.size || !s.modified.Equal(o.modified) {
		return false
	}
	return s.file == nil || os.SameFile(s.file, o.file)
}

// changed reports whether a file is not the one that was read.
func (p *Publisher) changed() bool {
	p.mu.Lock()
	seen := maps.Clone(p.seen)
	p.mu.Unlock()
	for name, was := range seen {
		if !stampOf(name).same(was) {
			return true
		}
	}
	return false
}
