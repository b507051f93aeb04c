package throttle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"gatehouse/internal/snapshot"
)

// document is a counter as it is saved. An index counts periods from the one that 1970-01-01 was in, which is 0.
type document struct {
	Period string `json:"period"`
	Index  int64  `json:"index"`
	Used   int64  `json:"used"`
	// FirstPeriod and FirstIndex are the period in which the counter was made.
	FirstPeriod string `json:"firstPeriod"`
	FirstIndex  int64  `json:"firstIndex"`
	// Offset says that a quota with an offset has counted here.
	Offset bool `json:"offset"`
}

// appendDoc writes what document reads. By hand, as a busy second has many.
func (c *counter) appendDoc(b []byte) []byte {
	t := tally(c.tally.Load())
	b = append(b, `{"period":"`...)
	b = append(b, t.span().period().String()...)
	b = append(b, `","index":`...)
	b = strconv.AppendInt(b, t.span().index(), 10)
	b = append(b, `,"used":`...)
	b = strconv.AppendInt(b, t.used(), 10)
	b = append(b, `,"firstPeriod":"`...)
	b = append(b, c.first.period().String()...)
	b = append(b, `","firstIndex":`...)
	b = strconv.AppendInt(b, c.first.index(), 10)
	b = append(b, `,"offset":`...)
	b = strconv.AppendBool(b, c.offset.Load())
	return append(b, '}')
}

// load adds a counter that was saved.
func (l *Ledger) load(id string, doc []byte) error {
	c, err := parseCounter(id, doc)
	if err != nil {
		return fmt.Errorf("quota counter %q cannot be read (%w): it was written by a newer Gatehouse or is damaged; "+
			"delete it to count from nothing", id, err)
	}
	l.counters.add(id, c)
	return nil
}

func parseCounter(id string, doc []byte) (*counter, error) {
	var d document
	r := json.NewDecoder(bytes.NewReader(doc))
	r.DisallowUnknownFields()
	if err := r.Decode(&d); err != nil {
		return nil, err
	}
	if _, err := r.Token(); err != io.EOF { //nolint:errorlint // Token gives it as it is
		return nil, errors.New("something follows the document")
	}
	in, err := parseSpan(d.Period, d.Index)
	if err != nil {
		return nil, err
	}
	first, err := parseSpan(d.FirstPeriod, d.FirstIndex)
	if err != nil {
		return nil, err
	}
	if d.Used < 0 || d.Used > maxUsed {
		return nil, fmt.Errorf("used is %d", d.Used)
	}
	c := &counter{id: id, first: first}
	c.tally.Store(uint64(tallyOf(in, d.Used)))
	c.offset.Store(d.Offset)
	return c, nil
}

func parseSpan(period string, index int64) (span, error) {
	if index < 0 || index > indexMask {
		return 0, fmt.Errorf("a period's index is %d", index)
	}
	for p := snapshot.Day; p <= snapshot.Month; p++ {
		if p.String() == period {
			return span(p)<<indexBits | span(index), nil
		}
	}
	return 0, fmt.Errorf("the period is %q", period)
}
