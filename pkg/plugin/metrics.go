package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// The bounds of --window.
const (
	minWindow = time.Second
	maxWindow = time.Hour
)

type metricsOptions struct {
	conn     *connection
	streams  genericiooptions.IOStreams
	choose   chooser
	output   output
	sources  sources
	from     analysis.Sources
	window   time.Duration
	watch    bool
	noHeader bool
}

func newMetrics(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &metricsOptions{conn: conn, streams: streams}
	cmd := &cobra.Command{
		Use:     "metrics [NAME...]",
		GroupID: "see",
		Short:   "Show how versions do: requests, errors, latencies, CPU, memory, restarts",
		Long: long(`
			Show how the versions of each release do beside one another: requests, errors, latencies, CPU, memory, restarts.

			Requests are what the pods themselves count, read twice from their metrics through the API server, with
			--window between; so SHARE is the share of the traffic that has arrived, and WEIGHT that of the ready
			endpoints. CPU and memory are from metrics.k8s.io. With --probe the pods get requests of our own too. Below
			the table stands where the figures are from, what is missing, and how to get it.

			No Prometheus is needed. docs/metrics.md says which metrics are known, and what permissions it takes.`),
		Example: examples(`
			# Look at every release of a namespace for ten seconds
			kubectl canary metrics -n messenger

			# Go on looking at one of them
			kubectl canary metrics auth -w --window 30s

			# Pods have their metrics at another place, and count requests under another name
			kubectl canary metrics auth --scrape /internal/metrics:9090 --requests-metric auth_logins_total

			# Send requests to the pods where nobody else does, five a second to each version
			kubectl canary metrics auth --probe /health:8001

			# Print the canary's share of errors for a script
			kubectl canary metrics auth -o jsonpath='{.items[?(@.role=="canary")].requests.errorShare}'`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return usageError{cmd, err}
			}
			return o.run(cmd.Context())
		},
	}
	o.choose.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags(), "wide")
	o.sources.addFlags(cmd.Flags(), scrapeAuto)
	cmd.Flags().DurationVar(&o.window, "window", 10*time.Second, "How long to look, from one reading of the pods to the next")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "Go on, and show the figures of each window")
	cmd.Flags().BoolVar(&o.noHeader, "no-headers", false, "Leave out the header of the table")
	return cmd
}

func (o *metricsOptions) complete(args []string) (err error) {
	if err := o.choose.complete(args); err != nil {
		return err
	}
	if err := o.output.complete("wide"); err != nil {
		return err
	}
	if o.watch && o.output.machine() {
		return errors.New("--watch prints a table: leave out --output")
	}
	if o.window < minWindow || o.window > maxWindow {
		return fmt.Errorf("invalid --window %s: want %s to %s", o.window, minWindow, maxWindow)
	}
	o.from, err = o.sources.complete()
	return err
}

func (o *metricsOptions) run(ctx context.Context) error {
	namespace, err := o.conn.namespace()
	if err != nil {
		return err
	}
	client, err := o.conn.client(o.streams.ErrOut)
	if err != nil {
		return err
	}
	live, err := o.conn.read(ctx, client, namespace, cluster.Want{WholePods: true})
	if err != nil {
		return err
	}
	releases, err := o.choose.find(live.Snapshot(), false)
	if err != nil {
		return err
	}
	if len(releases) == 0 {
		if o.output.machine() {
			return o.print(nil, nil, nil)
		}
		fmt.Fprintf(o.streams.ErrOut, "No resources found in %s namespace.\n", namespace)
		return nil
	}
	live.Follow(ctx, false)
	watcher := analysis.NewWatcher(client, o.from)
	screen := block(o.streams.Out)
	if !o.watch || screen == nil {
		fmt.Fprintf(o.streams.ErrOut, "watching the pods for %s\n", o.window)
	}
	for {
		seen, err := o.look(ctx, live, watcher)
		if err != nil {
			return o.ended(err)
		}
		if err := o.print(screen, seen, gapsOf(watcher)); err != nil || !o.watch {
			return err
		}
	}
}

// ended says nothing more where a watch is ended as all are.
func (o *metricsOptions) ended(err error) error {
	if o.watch && errors.Is(err, ErrInterrupted) {
		return toldError{err}
	}
	return err
}

var errWindow = errors.New("the window is over")

// look watches for one window.
func (o *metricsOptions) look(ctx context.Context, live *cluster.Live, watcher *analysis.Watcher) ([]printer.VersionMetrics, error) {
	snapshot := live.Snapshot()
	releases, err := o.choose.find(snapshot, false)
	if err != nil {
		return nil, err
	}
	over := time.Now().Add(o.window)
	watcher.Begin(ctx, releases, snapshot)
	timed, cancel := context.WithDeadlineCause(ctx, over, errWindow)
	defer cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); watcher.Run(timed) }()
	err = live.Observe(timed, func(s *canary.Snapshot) (bool, error) {
		now, err := o.choose.find(s, false)
		if err == nil {
			releases, snapshot = now, s
			watcher.See(now, s)
		}
		return false, err
	})
	cancel()
	<-ended
	if !errors.Is(err, errWindow) {
		return nil, err
	}
	watcher.Measure(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var all []printer.VersionMetrics
	for i := range releases {
		all = append(all, measured(&releases[i], snapshot, watcher)...)
	}
	return all, nil
}

func (o *metricsOptions) print(screen *printer.Block, seen []printer.VersionMetrics, gaps []printer.Gap) error {
	if o.output.machine() {
		list := printer.NewMetricsList(seen, gaps)
		return o.output.printList(o.streams.Out, list, list.Names())
	}
	table := printer.Metrics{Style: style(o.streams.Out), Wide: o.output.wide(), NoHeaders: o.noHeader}
	if screen != nil && o.watch {
		return screen.Draw(table.Lines(seen, gaps))
	}
	return table.Print(o.streams.Out, seen, gaps)
}
