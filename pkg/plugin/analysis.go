package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

type analysisOptions struct {
	conn    *connection
	streams genericiooptions.IOStreams
	choose  chooser
	check   string
	window  time.Duration
}

func newAnalysis(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &analysisOptions{conn: conn, streams: streams}
	cmd := &cobra.Command{
		Use:     "analysis [NAME...] --check FILE",
		GroupID: "see",
		Short:   "Check a file of bounds and queries, and show what it would ask",
		Long: long(`
			Check a file of bounds and queries for --analysis, and show what it would ask.

			Without a NAME the cluster is not asked: the file is as it has to be, or it is said what is wrong, and in
			which line. With one, what Prometheus would be asked for each version is printed, with the pods there are.
			Prometheus itself is not asked. docs/gates.md describes the file.`),
		Example: examples(`
			# Check a file in a pipeline
			kubectl canary analysis --check analysis.yaml

			# See what would be asked about a release
			kubectl canary analysis auth --check analysis.yaml -n messenger`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return usageError{cmd, err}
			}
			return o.run(cmd.Context())
		},
	}
	o.choose.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.check, "check", "", "The file to check")
	cmd.Flags().DurationVar(&o.window, "window", 5*time.Minute, "The window to ask for")
	return cmd
}

func (o *analysisOptions) complete(args []string) error {
	if o.check == "" {
		return errors.New("say which file to check with --check")
	}
	if o.window <= 0 {
		return fmt.Errorf("invalid --window %s: want more than 0", o.window)
	}
	return o.choose.complete(args)
}

func (o *analysisOptions) run(ctx context.Context) error {
	file, err := readAnalysis(o.check)
	if err != nil {
		return err
	}
	policy := analysis.DefaultPolicy()
	if err := file.Apply(&policy); err != nil {
		return err
	}
	if o.choose.named() {
		if err := o.show(ctx, file, policy.Queries); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(o.streams.Out, "%s: OK\n", printer.Safe(o.check))
	return err
}

// show prints what would be asked for each version of the chosen releases.
func (o *analysisOptions) show(ctx context.Context, file *analysis.Analysis, queries []analysis.Query) error {
	namespace, err := o.conn.namespace()
	if err != nil {
		return err
	}
	client, err := o.conn.client(o.streams.ErrOut)
	if err != nil {
		return err
	}
	live, err := o.conn.read(ctx, client, namespace, cluster.Want{Names: o.choose.names})
	if err != nil {
		return err
	}
	s := live.Snapshot()
	found, err := o.choose.find(s, false)
	if err != nil {
		return err
	}
	for i := range found {
		r := &found[i]
		if r.Stable == nil {
			return fmt.Errorf("%s: which version is stable and which the canary cannot be told: kubectl %s status %s says why", r.Name, name, r.Name)
		}
		for _, v := range []*canary.Version{r.Stable, r.Canary} {
			o.showVersion(file, queries, valuesOf(s, r, v, o.window))
		}
	}
	return nil
}

// showVersion prints each query, and why one would not be asked.
func (o *analysisOptions) showVersion(file *analysis.Analysis, queries []analysis.Query, v analysis.Values) {
	all, err := file.Prometheus.Presets(v)
	if err != nil {
		all = []analysis.Asked{{Check: "requests", Text: "not asked: " + err.Error()}}
	}
	for _, q := range queries {
		text, err := q.Text.Render(v)
		if err != nil {
			text = "not asked: " + err.Error()
		}
		all = append(all, analysis.Asked{Check: q.Name, Text: text})
	}
	for _, asked := range all {
		fmt.Fprintln(o.streams.Out, printer.Safe(fmt.Sprintf("%s %s, %s:", v.Service, v.Version, asked.Check)))
		for line := range strings.Lines(strings.TrimSpace(asked.Text)) {
			fmt.Fprintf(o.streams.Out, "  %s\n", printer.Safe(strings.TrimRight(line, "\n")))
		}
		fmt.Fprintln(o.streams.Out)
	}
}

// valuesOf is what queries about a version hold.
func valuesOf(s *canary.Snapshot, r *canary.Release, v *canary.Version, window time.Duration) analysis.Values {
	values := analysis.Values{Namespace: s.Namespace, Service: r.Name, Version: v.Name, Deployment: v.Deployment.Name, Window: window}
	for _, p := range canary.PodsOf(s, v) {
		values.Pods = append(values.Pods, p.Name)
	}
	return values
}
