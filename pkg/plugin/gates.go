package plugin

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// gateOptions is what a canary is held to, and by which sources.
type gateOptions struct {
	policy     analysis.Policy
	from       analysis.Sources
	prometheus *analysis.Settings // nil: no Prometheus is asked; else it has an address
	interval   time.Duration

	sources                            sources
	maxErrorRate, worse, address, file string
	maxLatency                         []string
	maxRestarts, minRequests           int
}

func (o *gateOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.maxErrorRate, "max-error-rate", "", "The share of requests that may fail, such as 1%; only as many as of stable if left out")
	flags.StringArrayVar(&o.maxLatency, "max-latency", nil, "How long requests may take by percentile, such as p99=300ms; may be given several times")
	flags.IntVar(&o.maxRestarts, "max-restarts", 0, "How often the canary's containers may restart in a step")
	flags.StringVar(&o.worse, "worse-than-stable", "20%", `By how much error share and latency may be worse than stable's, of these; "none" compares nothing`)
	flags.IntVar(&o.minRequests, "min-requests", 100, "How many requests it takes for a verdict, of each version")
	o.sources.addFlags(flags, scrapeNone)
	flags.Lookup("scrape").NoOptDefVal = scrapeAuto
	flags.StringVar(&o.address, "prometheus", "", "Ask the Prometheus at this URL")
	flags.StringVar(&o.file, "analysis", "", "A file with bounds and queries of your own (docs/gates.md)")
	flags.DurationVar(&o.interval, "interval", 10*time.Second, "How often to look at the checks")
}

// complete parses all of it, before the first request.
func (o *gateOptions) complete(flags *pflag.FlagSet) (err error) {
	o.policy = analysis.DefaultPolicy()
	if o.file != "" {
		file, err := readAnalysis(o.file)
		if err != nil {
			return err
		}
		if err := file.Apply(&o.policy); err != nil {
			return err
		}
		o.prometheus = file.Prometheus
	}
	if err := o.completeBounds(flags.Changed); err != nil {
		return err
	}
	if o.from, err = o.sources.complete(); err != nil {
		return err
	}
	if o.interval <= 0 {
		return fmt.Errorf("invalid --interval %s: want more than 0", o.interval)
	}
	return o.completePrometheus()
}

// completeBounds lets what is typed win over the file.
func (o *gateOptions) completeBounds(typed func(flag string) bool) (err error) {
	if typed("max-error-rate") {
		rate, err := analysis.ParseErrorRate(o.maxErrorRate)
		if err != nil {
			return fmt.Errorf("--max-error-rate: %w", err)
		}
		o.policy.MaxErrorRate = &rate
	}
	if typed("max-latency") {
		if o.policy.MaxLatency, err = analysis.ParseLatencies(o.maxLatency); err != nil {
			return fmt.Errorf("--max-latency: %w", err)
		}
	}
	if typed("worse-than-stable") {
		if o.policy.WorseThanStable, err = analysis.ParseTolerance(o.worse); err != nil {
			return fmt.Errorf("--worse-than-stable: %w", err)
		}
	}
	if o.maxRestarts < 0 {
		return fmt.Errorf("invalid --max-restarts %d: want 0 or more", o.maxRestarts)
	}
	if o.minRequests < 1 {
		return fmt.Errorf("invalid --min-requests %d: want at least 1", o.minRequests)
	}
	if typed("max-restarts") {
		o.policy.MaxRestarts = o.maxRestarts
	}
	if typed("min-requests") {
		o.policy.MinRequests = float64(o.minRequests)
	}
	return nil
}

func (o *gateOptions) completePrometheus() error {
	if o.prometheus == nil {
		o.prometheus = &analysis.Settings{}
	}
	o.prometheus.Address = cmp.Or(o.address, o.prometheus.Address)
	switch {
	case o.prometheus.Address != "":
		if _, err := analysis.ParseAddress(o.prometheus.Address); err != nil {
			return err
		}
	case len(o.policy.Queries) > 0:
		return fmt.Errorf("%s has queries: say whom to ask, with --prometheus or prometheus.address", o.file)
	default:
		o.prometheus = nil
	}
	return nil
}

// fitProbes sends as many probes as the shortest pause needs for a verdict. It fails where that is more than each of so many versions,
// or the API server, is to be sent: such a pause would always end without one.
func (o *gateOptions) fitProbes(steps []canary.Step, versions int) error {
	shortest := time.Duration(0)
	for _, s := range steps {
		if pause := s.Pause.Duration(); pause > 0 && (shortest == 0 || pause < shortest) {
			shortest = pause
		}
	}
	if o.from.Probe == nil || shortest == 0 {
		return nil
	}
	enough := o.policy.MinRequests
	requests := o.from.Probe.Fit(enough, shortest, versions)
	if requests >= enough {
		return nil
	}
	return fmt.Errorf("--probe sends each version at most %.0f requests in a pause of %s, and --min-requests asks for %.0f: want a --pause of %s or longer, or fewer --min-requests",
		requests, shortest, enough, analysis.ProbeWindow(enough, versions))
}

// readAnalysis reads a file of bounds and queries.
func readAnalysis(name string) (*analysis.Analysis, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := analysis.ParseFile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return file, nil
}
