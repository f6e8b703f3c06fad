package plugin

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
)

// sources is where it is looked how versions do.
type sources struct {
	scrape string // auto, none, or a page
	names  analysis.Names
	probe  string // a page; empty for none
}

const (
	scrapeAuto = "auto"
	scrapeNone = "none"
)

// addFlags adds the flags; scrape is the default of --scrape.
func (s *sources) addFlags(flags *pflag.FlagSet, scrape string) {
	flags.StringVar(&s.scrape, "scrape", scrape, "Where pods have their metrics: PATH or PATH:PORT, auto to find it, none to leave them out")
	takes(flags, "scrape", scrapeAuto, scrapeNone)
	flags.StringVar(&s.names.Requests, "requests-metric", "", "The metric in which pods count their requests; found if left out")
	flags.StringVar(&s.names.Latency, "latency-metric", "", "The histogram in which pods count how long requests take; found if left out")
	flags.StringVar(&s.probe, "probe", "", "Send requests of our own to the pods, for PATH or PATH:PORT")
}

// complete reads the flags.
func (s *sources) complete() (out analysis.Sources, err error) {
	out.Usage = true
	if s.scrape != scrapeNone {
		out.Scrape = &analysis.Scrape{Names: s.names}
	}
	if s.scrape != scrapeNone && s.scrape != scrapeAuto {
		if out.Scrape.At, err = analysis.ParsePlace(s.scrape); err != nil {
			return out, fmt.Errorf("--scrape: %w", err)
		}
	}
	if s.probe != "" {
		out.Probe = &analysis.Probe{}
		if out.Probe.At, err = analysis.ParsePlace(s.probe); err != nil {
			return out, fmt.Errorf("--probe: %w", err)
		}
	}
	return out, nil
}
