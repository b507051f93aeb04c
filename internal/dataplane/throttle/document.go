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
	t, first := tally(c.tally.Load()), span(c.first.Load())
	b = append(b, `{"period":"`...)
	b = append(b, t.span().period().String()...)
	b = append(b, `","index":`...)
	b = strconv.AppendInt(b, t.span().index(), 10)
	b = append(b, `,"used":`...)
	b = strconv.AppendInt(b, t.used(), 10)
	b = append(b, `,"firstPeriod":"`...)
	b = append(b, first.period().String()...)
	b = append(b, `","firstIndex":`...)
	b = strconv.AppendInt(b, first.index(), 10)
	b = append(b, `,"offset":`...)
	b = strconv.AppendBool(b, c.offset.Load())
	return append(b, '}')
}

// load adds a counter that was saved.
func (l *Ledger) load(id string, doc []byte) error {
	a := newAccount(id)
	err := a.counter.parse(doc)
	if err != nil {
		return fmt.Errorf("quota counter %q cannot be read (%w): it was written by a newer Gatehouse or is damaged; "+
			"delete it to count from nothing", id, err)
	}
	l.accounts.add(id, a)
	l.inUse.Add(1)
	return nil
}

// parse makes an unused counter the one that was saved.
func (c *counter) parse(doc []byte) error {
	var d document
	r := json.NewDecoder(bytes.NewReader(doc))
	r.DisallowUnknownFields()
	if err := r.Decode(&d); err != nil {
		return err
	}
	if _, err := r.Token(); err != io.EOF {
		return errors.New("something follows the document")
	}
	in, err := parseSpan(d.Period, d.Index)
	if err != nil {
		return err
	}
	first, err := parseSpan(d.FirstPeriod, d.FirstIndex)
	if err != nil {
		return err
	}
	if d.Used < 0 || d.Used > maxUsed {
		return fmt.Errorf("used is %d", d.Used)
	}
	c.tally.Store(uint64(tallyOf(in, d.Used)))
	c.first.Store(uint32(first))
	c.offset.Store(d.Offset)
	return nil
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
