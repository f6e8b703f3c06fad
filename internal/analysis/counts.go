package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// metricLabel tells series of several metrics apart in an answer.
const metricLabel = "metric"

// byMetric are the series of an answer by their metric.
func byMetric(answer model.Vector, names []string) map[string]model.Vector {
	all := map[string]model.Vector{}
	for _, sample := range answer {
		name := cmp.Or(string(sample.Metric[metricLabel]), names[0])
		all[name] = append(all[name], sample)
	}
	return all
}

// count adds up the requests of the metric that counts.
func (p *Prometheus) count(t *Traffic, answer model.Vector, v Values) error {
	all := byMetric(answer, p.preset.requests)
	t.Errors = math.NaN()
	for _, name := range p.preset.requests {
		requests, errors, told, err := p.add(all[name])
		switch {
		case err != nil:
			return fmt.Errorf("%w of %s", err, counterOf(name))
		case len(all[name]) == 0 || !told && t.Source != "Prometheus":
			continue
		}
		t.Source, t.Requests = "Prometheus: "+name, requests
		if told {
			t.Errors = errors
			return nil
		}
	}
	if len(answer) == 0 {
		return fmt.Errorf("Prometheus has no %s of these pods in the last %s: it takes two scrapes to count", strings.Join(p.preset.requests, ", "), promDuration(v.Window))
	}
	return nil
}

// add adds up series of one metric; told is whether they have a status.
func (p *Prometheus) add(series model.Vector) (requests, errors float64, told bool, err error) {
	for _, sample := range series {
		n := float64(sample.Value)
		if sample.Histogram != nil || !finite(n) || n < 0 {
			return 0, 0, false, errCount
		}
		requests += n
		for _, label := range p.preset.codes {
			if status := string(sample.Metric[model.LabelName(label)]); status != "" {
				told = true
				if p.preset.failed(label, status) {
					errors += n
				}
				break
			}
		}
	}
	return requests, errors, told, nil
}

var errCount = errors.New("Prometheus has no count")

// histogram puts the buckets of the first metric that has some in order; none are no error. Counts that shrink, which the arithmetic
// of increase() makes, are raised as histogram_quantile does.
func (p *Prometheus) histogram(answer model.Vector) (Histogram, error) {
	all := byMetric(answer, p.preset.latency)
	for _, name := range p.preset.latency {
		upTo := map[float64]float64{}
		for _, sample := range all[name] {
			edge, err := strconv.ParseFloat(string(sample.Metric["le"]), 64)
			if err != nil || math.IsNaN(edge) || sample.Histogram != nil || !finite(float64(sample.Value)) {
				return nil, fmt.Errorf("Prometheus has buckets in %s_bucket that are none", name)
			}
			upTo[edge*seconds(name)] += float64(sample.Value)
		}
		if len(upTo) > 0 {
			return histogramOf(upTo), nil
		}
	}
	return nil, nil
}
