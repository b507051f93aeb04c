package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// collector exports the cells.
type collector struct {
	cells                *cells
	count, c4xx, c5xx    *prometheus.Desc
	latency, integration *prometheus.Desc
}

func newCollector(c *cells) *collector {
	return &collector{
		cells:       c,
		count:       routeDesc("count_total", "Requests answered."),
		c4xx:        routeDesc("4xx_total", "Requests answered with a status of 400 to 499."),
		c5xx:        routeDesc("5xx_total", "Requests answered with a status of 500 to 599."),
		latency:     routeDesc("latency_seconds", "Time from a request's header until its answer is ready."),
		integration: routeDesc("integration_latency_seconds", "Time from calling the backend until its answer."),
	}
}

func routeDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("gatehouse_"+name, help, []string{"api", "stage", "route"}, nil)
}

// Describe is for the registry.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.count, c.c4xx, c.c5xx, c.latency, c.integration} {
		ch <- d
	}
}

// Collect is for the registry.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	for _, one := range c.cells.all() {
		c.collect(ch, one.Labels, one.Cell)
	}
}

func (c *collector) collect(ch chan<- prometheus.Metric, l Labels, cell *Cell) {
	labels := prometheus.MakeLabelPairs(c.count, []string{l.API, l.Stage, l.Route}) // the same for all
	// Errors are read before the requests that had them, so that there are never more of them.
	c4xx, c5xx := cell.c4xx.Load(), cell.c5xx.Load()
	latency, integration := cell.read()
	ch <- counter{c.count, labels, latency.count}
	ch <- counter{c.c4xx, labels, c4xx}
	ch <- counter{c.c5xx, labels, c5xx}
	ch <- histogram{c.latency, labels, latency}
	if integration.count > 0 { // a mock has none
		ch <- histogram{c.integration, labels, integration}
	}
}

// reading is a histogram at one moment.
type reading struct {
	count uint64
	// sum is in seconds.
	sum float64
	// upTo counts what is not above a bound.
	upTo [len(bounds)]uint64
}

// read gives both histograms of a cell.
func (c *Cell) read() (latency, integration reading) {
	for i := range c.buckets {
		latency.count += c.buckets[i].latency.Load()
		integration.count += c.buckets[i].integration.Load()
		if i < len(bounds) {
			latency.upTo[i], integration.upTo[i] = latency.count, integration.count
		}
	}
	latency.sum = float64(c.latency.Load()) / 1e9
	integration.sum = float64(c.integration.Load()) / 1e9
	return latency, integration
}

// counter is one exported number. It is written without the library's constant metrics, which check and sort labels for
// every number anew.
type counter struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	n      uint64
}

// Desc is for the registry.
func (c counter) Desc() *prometheus.Desc { return c.desc }

// Write is for the registry.
func (c counter) Write(out *dto.Metric) error {
	n := float64(c.n)
	out.Label, out.Counter = c.labels, &dto.Counter{Value: &n}
	return nil
}

// histogram is one exported histogram.
type histogram struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	reading
}

// Desc is for the registry.
func (h histogram) Desc() *prometheus.Desc { return h.desc }

// Write is for the registry.
func (h histogram) Write(out *dto.Metric) error {
	buckets := make([]dto.Bucket, len(bounds))
	list := make([]*dto.Bucket, len(bounds))
	seconds := make([]float64, len(bounds))
	for i := range buckets {
		seconds[i] = bounds[i].Seconds()
		buckets[i].CumulativeCount, buckets[i].UpperBound = &h.upTo[i], &seconds[i]
		list[i] = &buckets[i]
	}
	out.Label, out.Histogram = h.labels, &dto.Histogram{SampleCount: &h.count, SampleSum: &h.sum, Bucket: list}
	return nil
}
