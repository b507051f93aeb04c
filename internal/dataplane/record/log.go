package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// LogConfig says where the access log goes and what it may cost.
type LogConfig struct {
	// File is "stdout", "off", or a path. A new file has mode 0600, since lines name people's addresses; one that is
	// there keeps its mode and is appended to.
	File string
	// Output takes the lines in place of File when it is not nil. It is used by one goroutine.
	Output io.Writer
	// Buffer bounds the memory for lines that are not written yet, in bytes; 0 means 4 MiB.
	Buffer int
	// Flush is how long a line waits at most when the disk is idle; 0 means 200 ms.
	Flush time.Duration
	// Patience is how long Reopen and Close wait for a write that hangs; 0 means 5 s.
	Patience time.Duration
	// WarnEvery is the least time between two warnings; 0 means a minute.
	WarnEvery time.Duration
	// Logger is the gateway's own log; nil for no warnings.
	Logger *slog.Logger
}

func (c *LogConfig) fill() {
	if c.Buffer == 0 {
		c.Buffer = 4 << 20
	}
	c.Buffer = max(c.Buffer, 2*(MaxLine+1))
	if c.Flush == 0 {
		c.Flush = 200 * time.Millisecond
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	if c.WarnEvery == 0 {
		c.WarnEvery = time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Log is the access log: two buffers, of which requests fill one while the other is written. It may be used by many
// goroutines at once.
type Log struct {
	cfg  LogConfig
	path string // "" when there is nothing to reopen

	mu      sync.Mutex
	front   []byte // being filled
	closed  bool
	dropped uint64
	lost    uint64        // those of dropped that Close could not write
	next    *os.File      // to go on with, from Reopen
	moved   chan struct{} // closed when the writer has moved to next

	wake    chan struct{}
	warn    chan struct{}
	stop    chan struct{}
	running sync.WaitGroup
	written atomic.Uint64
	failed  atomic.Uint64
	failing atomic.Pointer[error]

	// What follows is the writer's alone.
	out  io.Writer
	file *os.File // out, when it is ours to close
	back []byte   // being written
	from int      // back[:from] is written
}

// LogStats is what a Log has done.
type LogStats struct {
	// Written lines have been handed to the operating system. Dropped ones met a full buffer, or a closed log.
	Written, Dropped uint64
	// Failures counts failed writes and reopenings; a failed write is tried again.
	Failures uint64
	// Failing is why the last write failed; nil when it did not.
	Failing error
}

// OpenLog opens the access log and starts its goroutines, which Close ends.
func OpenLog(cfg LogConfig) (*Log, error) {
	cfg.fill()
	l := &Log{cfg: cfg, out: cfg.Output}
	switch {
	case cfg.Output != nil:
	case cfg.File == "off":
		return l, nil
	case cfg.File == "stdout":
		l.out = os.Stdout
	default:
		f, err := openFile(cfg.File)
		if err != nil {
			return nil, err
		}
		l.path, l.file, l.out = cfg.File, f, f
	}
	half := cfg.Buffer / 2
	l.front, l.back = make([]byte, 0, half), make([]byte, 0, half)
	l.wake, l.warn, l.stop = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	l.running.Go(l.run)
	l.running.Go(l.complain)
	return l, nil
}

func openFile(path string) (*os.File, error) {
	if path == "" {
		return nil, errors.New(`open access log: no file given; name a path, "stdout" or "off"`)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open access log: %w; create the directory %s first", err, filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open access log: %w; give the gateway's user the right to write there", err)
	case err != nil:
		return nil, fmt.Errorf("open access log: %w", err)
	}
	return f, nil
}

// on reports whether there is anything to write to.
func (l *Log) on() bool { return l.out != nil }

// write takes a line that ends in its line break. It copies the bytes and never waits for the disk.
func (l *Log) write(line []byte) {
	l.mu.Lock()
	n := len(l.front)
	if l.closed || n+len(line) > cap(l.front) {
		l.dropped++
		l.mu.Unlock()
		poke(l.warn)
		return
	}
	l.front = append(l.front, line...)
	half := cap(l.front) / 2
	wake := n < half && len(l.front) >= half
	l.mu.Unlock()
	if wake {
		poke(l.wake)
	}
}

// poke wakes who listens on c, if nobody has yet.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Stats tells what the log has done. It may be called at any time.
func (l *Log) Stats() LogStats {
	s := LogStats{Written: l.written.Load(), Failures: l.failed.Load()}
	l.mu.Lock()
	s.Dropped = l.dropped
	l.mu.Unlock()
	if err := l.failing.Load(); err != nil {
		s.Failing = *err
	}
	return s
}

// Reopen opens the file by its name again, after it was moved away. When it returns nil the old file is closed and
// complete. When the new one cannot be opened the log goes on in the old one. Without a file it does nothing.
func (l *Log) Reopen() error {
	if l.path == "" {
		return nil
	}
	f, err := openFile(l.path)
	if err != nil {
		l.note(err)
		return err
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errors.Join(errors.New("reopen access log: it is closed"), f.Close())
	}
	old := l.next
	l.next = f
	if l.moved == nil {
		l.moved = make(chan struct{})
	}
	moved := l.moved
	l.mu.Unlock()
	if old != nil {
		_ = old.Close() // never written to
	}
	poke(l.wake)
	select {
	case <-moved:
		return nil
	case <-time.After(l.cfg.Patience):
		return fmt.Errorf("reopen access log: a write to the old file of %s hangs; the log moves when it ends", l.path)
	}
}

// Close writes what is left and ends the log; lines that come later are dropped. The error says that lines were lost.
func (l *Log) Close() error {
	if !l.on() {
		return nil
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	done := make(chan struct{})
	go func() { l.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(l.cfg.Patience):
		return fmt.Errorf("close access log: a write hangs since %s or longer; its last lines are lost", l.cfg.Patience)
	}
	l.mu.Lock()
	lost := l.lost
	l.mu.Unlock()
	if lost > 0 {
		return fmt.Errorf("close access log: the last %d lines are lost: %w", lost, l.Stats().Failing)
	}
	return nil
}

// countLines counts whole lines.
func countLines(b []byte) uint64 { return uint64(bytes.Count(b, []byte{'\n'})) }
