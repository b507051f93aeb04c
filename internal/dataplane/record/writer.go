package record

import (
	"bytes"
	"os"
	"time"
)

// run writes the buffers until the log is closed.
func (l *Log) run() {
	tick := time.NewTicker(l.cfg.Flush)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.wake:
		case <-l.stop:
			l.finish()
			return
		}
		l.flush()
	}
}

// flush writes what was left over, or else the lines that have come since. It reports whether all that it took was
// written.
func (l *Log) flush() bool {
	l.mu.Lock()
	next, moved := l.next, l.moved
	l.next, l.moved = nil, nil
	if l.from == len(l.back) {
		l.front, l.back, l.from = l.back[:0], l.front, 0
	}
	l.mu.Unlock()
	if next != nil {
		l.move(next)
		close(moved)
	}
	if l.from == len(l.back) {
		return true
	}
	n, err := l.out.Write(l.back[l.from:])
	l.written.Add(countLines(l.back[l.from : l.from+n]))
	l.from += n
	if err != nil {
		l.note(err)
		return false
	}
	l.failing.Store(nil)
	return true
}

// move goes on in the next file. A line that the old one got only the beginning of is written again.
func (l *Log) move(next *os.File) {
	if err := l.file.Close(); err != nil {
		l.note(err)
	}
	l.from = bytes.LastIndexByte(l.back[:l.from], '\n') + 1
	l.file, l.out = next, next
}

// finish writes all that there is and closes the file. What cannot be written is dropped.
func (l *Log) finish() {
	for range 2 { // what was being written, then what had come since
		if !l.flush() {
			break
		}
	}
	l.mu.Lock()
	l.lost = countLines(l.back[l.from:]) + countLines(l.front)
	l.dropped += l.lost
	l.mu.Unlock()
	if l.file == nil {
		return
	}
	if err := l.file.Close(); err != nil {
		l.note(err)
	}
}

// note remembers a failure and has it reported.
func (l *Log) note(err error) {
	l.failed.Add(1)
	l.failing.Store(&err)
	poke(l.warn)
}

// complain reports failures and dropped lines in the gateway's own log, once in a while. It has a goroutine of its own,
// since the writer may hang.
func (l *Log) complain() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-l.stop:
			return
		}
		select {
		case <-l.warn:
		case <-l.stop:
			return
		}
		s := l.Stats()
		l.cfg.Logger.Warn("the access log is not keeping up; check the disk it is on",
			"file", l.cfg.File, "dropped_total", s.Dropped, "failures_total", s.Failures, "error", s.Failing)
		pause.Reset(l.cfg.WarnEvery)
	}
}
