// Command load sends requests to a server on a fixed schedule, and tells which of them were lost.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/load"
)

// errInvalid is of a run that was reported, and from which nothing follows.
var errInvalid = errors.New("the run is invalid")

func main() {
	err := command().Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	switch {
	case errors.Is(err, errInvalid):
		os.Exit(2)
	case err != nil:
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o load.Options
	var out, log string
	var verbose bool
	cmd := &cobra.Command{
		Use:           "load --url http://IP:PORT/ --rate N --for DURATION",
		Short:         "Send requests on a fixed schedule, and report as JSON which were lost",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return run(ctx, o, out, log, verbose)
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	flags := cmd.Flags()
	flags.StringVar(&o.URL, "url", "", "what to get; nothing else is dialled")
	flags.IntVar(&o.Rate, "rate", 200, "requests that begin in a second")
	flags.DurationVar(&o.For, "for", 20*time.Second, "how long; an interrupt ends it earlier")
	flags.DurationVar(&o.Timeout, "timeout", 2*time.Second, "of one request, connecting included")
	flags.IntVar(&o.KeepAlive, "keep-alive", 0, "connections that requests take in turn; 0: a new one for each request")
	flags.IntVar(&o.InFlight, "in-flight", 4000, "requests at a time, at most; the run is invalid when it takes more")
	flags.StringVar(&out, "out", "", "file for the report (default: stdout)")
	flags.StringVar(&log, "log", "", "file for what became of each request, a line of JSON each")
	flags.BoolVarP(&verbose, "verbose", "v", false, "tell every second on stderr how it goes")
	return cmd
}

func run(ctx context.Context, o load.Options, out, log string, verbose bool) error {
	report, lines := os.Stdout, io.Discard
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer f.Close()
		report = f
	}
	if log != "" {
		f, err := os.Create(log)
		if err != nil {
			return err
		}
		defer f.Close()
		lines = f
	}
	var progress func([]load.Request)
	if verbose {
		progress = func(ended []load.Request) { fmt.Fprintln(os.Stderr, soFar(ended)) }
	}
	r, err := load.Start(ctx, o, progress)
	if err != nil {
		return err
	}
	if err := r.WriteLog(lines); err != nil {
		return err
	}
	encoder := json.NewEncoder(report)
	encoder.SetIndent("", "  ")
	sum := r.Report()
	if err := encoder.Encode(sum); err != nil {
		return err
	}
	if !sum.Valid {
		return fmt.Errorf("%w: %s", errInvalid, sum.Reason)
	}
	return nil
}

func soFar(ended []load.Request) string {
	ok, failed := map[string]int{}, map[load.Failure]int{}
	for _, q := range ended {
		if q.Failure == "" {
			ok[q.Version]++
		} else {
			failed[q.Failure]++
		}
	}
	return fmt.Sprintf("%d ended; ok: %v, failed: %v", len(ended), ok, failed)
}
