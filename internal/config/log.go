package config

import (
	"log/slog"
	"strings"

	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/lib/doctree"
)

// Log says what the daemon writes about itself and about requests.
type Log struct {
	Level slog.Level
	// Format is json or text.
	Format string
	Access AccessLog
}

// AccessLog is the log of requests.
type AccessLog struct {
	// File is "stdout", "off" or a path.
	File string
	// Format is "json", "clf" or a line with $context variables; stages may have their own.
	Format v1.Text
}

// maxLogFormat is AWS's limit for a format, in bytes.
const maxLogFormat = 3 << 10

func defaultLog() Log {
	return Log{Level: slog.LevelInfo, Format: "json", Access: AccessLog{File: "stdout", Format: v1.Text{Value: "json"}}}
}

func (l *Log) read(d *decoder, key string, n *doctree.Node) {
	level := ""
	ok := d.mapping(key, n, []field{
		{"level", choice(&level, "debug", "info", "warn", "error")},
		{"format", choice(&l.Format, "json", "text")},
		{"access", l.Access.read},
	})
	if ok && level != "" {
		// The words are slog's own, so this cannot fail.
		_ = l.Level.UnmarshalText([]byte(level))
	}
}

func (a *AccessLog) read(d *decoder, key string, n *doctree.Node) {
	d.mapping(key, n, []field{
		{"file", func(d *decoder, key string, n *doctree.Node) {
			s, ok := d.scalar(key, n, "stdout, off or a path")
			switch {
			case !ok:
			case s == "":
				d.fail(codeBadValue, n, "", "%s takes stdout, off or a path, not empty text", key)
			case s == "stdout", s == "off":
				a.File = s
			default:
				a.File = d.files.path(s)
			}
		}},
		{"format", logFormat(&a.Format)},
	})
}

// logFormat is a reader of an access log format. Package compile parses it; what cannot be one is refused here.
func logFormat(into *v1.Text) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		s, ok := d.scalar(key, n, "json, clf or a line with $context variables")
		switch {
		case !ok:
		case len(s) > maxLogFormat:
			d.fail(codeBadValue, n, "", "%s takes at most %d bytes", key, maxLogFormat)
		case s != "json" && s != "clf" && !strings.Contains(s, "$context."):
			d.fail(codeBadValue, n, nearestHint(n.Value, []string{"json", "clf"}),
				"%s takes json, clf or a line with $context variables, not %s", key, quote(n.Value))
		default:
			*into = v1.Text{Value: s, Place: d.at(n)}
		}
	}
}

// accessLog is a reader of what a stage says about its log.
func accessLog(into *v1.Text) reader { return object(field{"format", logFormat(into)}) }
