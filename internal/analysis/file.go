package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
)

// FileVersion and FileKind are what an analysis file says it is.
const (
	FileVersion = "kubectl-canary/v1alpha1"
	FileKind    = "Analysis"
)

// Analysis is a file with what a canary is held to, for `--analysis`. The comments here are the descriptions in
// docs/analysis.schema.json.
type Analysis struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// What the checks allow. A flag of the same meaning on the command line wins.
	Bounds Bounds `yaml:"bounds,omitempty"`
	// How to ask Prometheus. Not there: by --prometheus alone.
	Prometheus *Settings `yaml:"prometheus,omitempty"`
	// Own questions to Prometheus, each a check of its own.
	Queries []FileQuery `yaml:"queries,omitempty"`
}

// Bounds are what the checks allow.
type Bounds struct {
	// The share of requests that may fail, such as 1%. Not there: only as many as of stable.
	MaxErrorRate string `yaml:"maxErrorRate,omitempty" jsonschema:"pattern=^[0-9.]+%$"`
	// How long requests may take by percentile, such as p99 at most 300ms.
	MaxLatency map[string]string `yaml:"maxLatency,omitempty"`
	// By how much of stable's figure error share and latency of the canary may be worse, such as 20%, the default; none compares nothing.
	WorseThanStable string `yaml:"worseThanStable,omitempty" jsonschema:"pattern=^([0-9.]+%|none)$"`
	// How many requests it takes for a verdict, of each version. 100 if not there.
	MinRequests *Whole `yaml:"minRequests,omitempty" jsonschema:"minimum=1"`
	// How often containers may restart in a step. 0 if not there.
	MaxRestarts *Whole `yaml:"maxRestarts,omitempty"`
	// How often pods may stop being ready in a step. 1 if not there.
	MaxFlaps *Whole `yaml:"maxFlaps,omitempty"`
	// The share of their time for which pods that had been ready may not be. 5% if not there.
	MaxNotReady string `yaml:"maxNotReady,omitempty" jsonschema:"pattern=^[0-9.]+%$"`
	// How many Events of type Warning and one reason there may be in a step. 2 if not there.
	MaxWarnings *Whole `yaml:"maxWarnings,omitempty"`
	// By how much more than stable the canary's pods may take of CPU and memory. 50% if not there.
	WorseUsage string `yaml:"worseUsage,omitempty" jsonschema:"pattern=^[0-9.]+%$"`
}

// FileQuery is a question to Prometheus and what its answer, one number, may be.
type FileQuery struct {
	// The name of the check: lower case letters, digits and dashes.
	Name string `yaml:"name" jsonschema:"pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$,maxLength=63"`
	// PromQL with places for {{.Namespace}}, {{.Service}}, {{.Version}}, {{.Deployment}}, {{.Pods}}, a regular expression, and
	// {{.Window}}, the time since the step began. It is asked for each version.
	Query string `yaml:"query"`
	// What the answer is in, for people: s, %, bytes or a word.
	Unit string `yaml:"unit,omitempty"`
	// The most it may be for the canary.
	Max *float64 `yaml:"max,omitempty"`
	// The least it may be for the canary.
	Min *float64 `yaml:"min,omitempty"`
	// By how much of stable's answer the canary's may be worse, such as 20%.
	WorseThanStable string `yaml:"worseThanStable,omitempty" jsonschema:"pattern=^[0-9.]+%$"`
	// A difference from stable's answer below which none is worse: for figures that are close to 0. 0 if not there.
	MinDifference float64 `yaml:"minDifference,omitempty" jsonschema:"minimum=0"`
	// Which answer is the better one: lower, the default, or higher.
	Better string `yaml:"better,omitempty" jsonschema:"enum=lower,enum=higher"`
}

// fault is what is wrong with a field.
type fault struct {
	field string
	err   error
}

func (f fault) Error() string { return f.field + ": " + f.err.Error() }

// Apply sets in a policy what the file says. Nothing is changed on an error, of which a file that ParseFile has read has none.
func (a *Analysis) Apply(policy *Policy) error {
	p := *policy
	if err := a.Bounds.apply(&p); err != nil {
		return err
	}
	p.Queries = nil
	for i := range a.Queries {
		q, err := a.Queries[i].parse()
		if err != nil {
			return fault{fmt.Sprintf("queries[%d].%s", i, err.field), err.err}
		}
		if slices.ContainsFunc(p.Queries, func(other Query) bool { return other.Name == q.Name }) {
			return fault{fmt.Sprintf("queries[%d].name", i), fmt.Errorf("%q is there twice", q.Name)}
		}
		p.Queries = append(p.Queries, *q)
	}
	*policy = p
	return nil
}

func (b *Bounds) apply(p *Policy) error {
	for _, s := range []struct {
		field, value string
		set          func(string) error
	}{
		{"maxErrorRate", b.MaxErrorRate, func(s string) (err error) { p.MaxErrorRate, err = pointer(ParseErrorRate(s)); return err }},
		{"worseThanStable", b.WorseThanStable, func(s string) (err error) { p.WorseThanStable, err = ParseTolerance(s); return err }},
		{"maxNotReady", b.MaxNotReady, func(s string) (err error) { p.MaxNotReady, err = ParseShare(s); return err }},
		{"worseUsage", b.WorseUsage, func(s string) (err error) { p.WorseUsage, err = ParseShare(s); return err }},
	} {
		if s.value == "" {
			continue
		}
		if err := s.set(s.value); err != nil {
			return fault{"bounds." + s.field, err}
		}
	}
	for _, n := range []struct {
		field string
		value *Whole
		least Whole
		set   func(Whole)
	}{
		{"minRequests", b.MinRequests, 1, func(n Whole) { p.MinRequests = float64(n) }},
		{"maxRestarts", b.MaxRestarts, 0, func(n Whole) { p.MaxRestarts = int(n) }},
		{"maxFlaps", b.MaxFlaps, 0, func(n Whole) { p.MaxFlaps = int(n) }},
		{"maxWarnings", b.MaxWarnings, 0, func(n Whole) { p.MaxWarnings = int(n) }},
	} {
		switch {
		case n.value == nil:
		case *n.value < n.least:
			return fault{"bounds." + n.field, fmt.Errorf("invalid number %d: want at least %d", *n.value, n.least)}
		default:
			n.set(*n.value)
		}
	}
	var latencies []string
	for _, name := range slices.Sorted(maps.Keys(b.MaxLatency)) {
		latencies = append(latencies, name+"="+b.MaxLatency[name])
		if _, err := ParseLatency(name + "=" + b.MaxLatency[name]); err != nil {
			return fault{"bounds.maxLatency." + name, err}
		}
	}
	if len(latencies) == 0 {
		return nil
	}
	bounds, err := ParseLatencies(latencies)
	if err != nil {
		return fault{"bounds.maxLatency", err}
	}
	p.MaxLatency = bounds
	return nil
}

// checkName is what a query may be called: as the built-in checks are.
var checkName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (f *FileQuery) parse() (*Query, *fault) {
	q := &Query{Name: f.Name, Unit: f.Unit, Max: f.Max, Min: f.Min, Least: f.MinDifference, MoreIsBetter: f.Better == "higher"}
	var err error
	switch {
	case !checkName.MatchString(f.Name):
		return nil, &fault{"name", fmt.Errorf("invalid name %q: want lower case letters, digits and dashes", f.Name)}
	case builtIn(f.Name):
		return nil, &fault{"name", fmt.Errorf("%q is the name of a check that is always there", f.Name)}
	case cmp.Or(f.Better, "lower") != "lower" && f.Better != "higher":
		return nil, &fault{"better", fmt.Errorf("invalid %q: want lower or higher", f.Better)}
	}
	if q.Text, err = ParseTemplate(f.Query); err != nil {
		return nil, &fault{"query", err}
	}
	if f.WorseThanStable != "" {
		if q.Worse, err = pointer(ParseShare(f.WorseThanStable)); err != nil {
			return nil, &fault{"worseThanStable", err}
		}
	}
	switch {
	case q.Max != nil && !finite(*q.Max):
		return nil, &fault{"max", errNumber}
	case q.Min != nil && !finite(*q.Min):
		return nil, &fault{"min", errNumber}
	case !finite(q.Least) || q.Least < 0:
		return nil, &fault{"minDifference", errNumber}
	case q.Max == nil && q.Min == nil && q.Worse == nil:
		return nil, &fault{"name", errors.New("want max, min or worseThanStable: without one nothing is judged")}
	case q.Max != nil && q.Min != nil && *q.Min > *q.Max:
		return nil, &fault{"min", errors.New("it is more than max")}
	}
	return q, nil
}

var errNumber = errors.New("want a number")

func pointer[T any](v T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// finite is whether a figure is one: neither NaN, nor without end, nor so large that another operation would make it so.
func finite(x float64) bool { return math.Abs(x) < 1e100 }
