package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/lib/doctree"
)

// scalar gives the text of a value with its references filled in. Unquoted numbers and words are text as written.
func (d *decoder) scalar(key string, n *doctree.Node, want string) (string, bool) {
	if n == nil || n.Kind != doctree.Scalar || !isPlainTag(n.Tag) {
		d.wrongType(key, n, want)
		return "", false
	}
	return d.expand(n)
}

func isPlainTag(tag string) bool {
	switch tag {
	case doctree.TagString, doctree.TagInt, doctree.TagFloat, doctree.TagBool:
		return true
	}
	return false
}

// filled gives the value as a node whose text has no reference any more. Text that a reference brought in counts as a
// number or as true and false where the key takes one: the environment has no types.
func (d *decoder) filled(n *doctree.Node, tag string) (*doctree.Node, bool) {
	if n == nil || n.Kind != doctree.Scalar || n.Tag != doctree.TagString || !strings.Contains(n.Value, "${") {
		return n, true
	}
	s, ok := d.expand(n)
	if !ok {
		return nil, false
	}
	return &doctree.Node{Kind: doctree.Scalar, Tag: tag, Value: strings.TrimSpace(s), Line: n.Line, Column: n.Column}, true
}

// text is a reader of any text.
func text(into *string) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		if s, ok := d.scalar(key, n, "text"); ok {
			*into = s
		}
	}
}

// choice is a reader of one of a few words.
func choice(into *string, words ...string) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		s, ok := d.scalar(key, n, "one of "+strings.Join(words, ", "))
		if !ok {
			return
		}
		if slices.Contains(words, s) {
			*into = s
			return
		}
		d.fail(codeBadValue, n, nearestHint(n.Value, words), "%s takes one of %s, not %s", key, strings.Join(words, ", "), quote(n.Value))
	}
}

// boolean is a reader of true or false.
func boolean(into *bool) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		if b := d.boolean(key, n); b != nil {
			*into = *b
		}
	}
}

// optional is boolean for a key whose absence says something of its own.
func optional(into **bool) reader {
	return func(d *decoder, key string, n *doctree.Node) { *into = d.boolean(key, n) }
}

func (d *decoder) boolean(key string, n *doctree.Node) *bool {
	v, ok := d.filled(n, doctree.TagBool)
	if !ok {
		return nil
	}
	b, ok := v.Bool()
	if !ok {
		d.wrongType(key, n, "true or false")
		return nil
	}
	return &b
}

// whole is a reader of a whole number in bounds.
func whole[T int | int64](into *T, least, most int64) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		v, ok := d.filled(n, doctree.TagInt)
		if !ok {
			return
		}
		i, ok := v.Int()
		switch {
		case !ok:
			d.wrongType(key, n, "a whole number")
		case i < least || i > most:
			d.fail(codeBadValue, n, "", "%s takes a number from %d to %d", key, least, most)
		default:
			*into = T(i)
		}
	}
}

// number is a reader of a number from 0 to most.
func number(into *float64, most float64) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		v, ok := d.filled(n, doctree.TagFloat)
		if !ok {
			return
		}
		f, ok := v.Float()
		switch {
		case !ok:
			d.wrongType(key, n, "a number")
		case math.IsNaN(f) || f < 0 || f > most:
			d.fail(codeBadValue, n, "", "%s takes a number from 0 to %s", key, strconv.FormatFloat(most, 'f', -1, 64))
		default:
			*into = f
		}
	}
}

// duration is a reader of a span of time such as 10s, in bounds.
func duration(into *time.Duration, least, most time.Duration) reader {
	return func(d *decoder, key string, n *doctree.Node) {
		const hint = "write a number with its unit: ms, s, m or h"
		s, ok := d.scalar(key, n, "a duration such as 10s")
		if !ok {
			return
		}
		v, err := time.ParseDuration(s)
		switch {
		case err != nil:
			d.fail(codeWrongType, n, hint, "%s takes a duration such as 10s, not %s", key, quote(n.Value))
		case v < least || v > most:
			d.fail(codeBadValue, n, "", "%s takes a duration from %s to %s", key, least, most)
		default:
			*into = v
		}
	}
}
