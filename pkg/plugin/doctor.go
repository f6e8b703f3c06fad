package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/doctor"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

type doctorOptions struct {
	conn     *connection
	streams  genericiooptions.IOStreams
	choose   chooser
	output   output
	command  func(next, namespace string) string
	to       []string
	weights  []canary.Weight
	surge    string
	ask      canary.Ask
	strict   bool
	noHeader bool
}

func newDoctor(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &doctorOptions{conn: conn, streams: streams}
	cmd := &cobra.Command{
		Use:     "doctor [NAME...]",
		GroupID: "see",
		Short:   "Find what would make a shift fail, lie or surprise, and how to mend it",
		Long: long(`
			Find what would make a shift fail, lie or surprise, and how to mend it. Nothing is changed.

			An error is what a shift is refused for, or fails of; a warning is what would surprise; an info is worth
			knowing. Each finding names its object, says why, and prints a command that mends it: read it before you
			run it, it is one way of several. What you may not read is not looked at, and that is said.

			It exits with 0 when there is no error, else with 1. docs/doctor.md lists the codes.`),
		Example: examples(`
			# Examine every release of a namespace
			kubectl canary doctor -n messenger

			# Examine one for the weights of a cautious migration
			kubectl canary doctor auth --to 5,10,25,50,100

			# Fail in a pipeline, before a deployment, for warnings too
			kubectl canary doctor --strict -o name`),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.command = piped(conn.command(cmd))
			if err := o.complete(args); err != nil {
				return usageError{cmd, err}
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	o.choose.addFlags(flags)
	o.output.addFlags(flags, "wide")
	flags.StringSliceVar(&o.to, "to", []string{"25", "50", "75", "100"}, "The weights that will be asked for, in percent")
	flags.StringVar(&o.surge, "max-surge", "25%", "The --max-surge that will be given")
	flags.IntVar(&o.ask.Replicas, "replicas", 0, "The --replicas that will be given; recorded or guessed if left out")
	flags.BoolVar(&o.strict, "strict", false, "Exit with 1 for a warning too")
	flags.BoolVar(&o.noHeader, "no-headers", false, "Leave out the header of the table")
	return cmd
}

// piped completes every command of a pipeline.
func piped(command func(next, namespace string) string) func(next, namespace string) string {
	return func(next, namespace string) string {
		all := strings.Split(next, doctor.Pipe)
		for i := range all {
			all[i] = command(all[i], namespace)
		}
		return strings.Join(all, " | ")
	}
}

func (o *doctorOptions) complete(args []string) (err error) {
	if err := o.choose.complete(args); err != nil {
		return err
	}
	if err := o.output.complete("wide"); err != nil {
		return err
	}
	for _, s := range o.to {
		w, err := canary.ParseWeight(s)
		if err != nil {
			return fmt.Errorf("--to: %w", err)
		}
		o.weights = append(o.weights, w)
	}
	if o.ask.Replicas < 0 {
		return fmt.Errorf("invalid --replicas %d: want at least 1", o.ask.Replicas)
	}
	o.ask.Tolerance = 100 // shift's default
	if o.ask.Surge, err = canary.ParseAmount(o.surge); err != nil {
		return fmt.Errorf("--max-surge: %w", err)
	}
	return nil
}

// errFindings is what findings end with that count.
var errFindings = toldError{errors.New("there are findings")}

func (o *doctorOptions) run(ctx context.Context) error {
	client, namespace, err := o.conn.open(o.streams.ErrOut)
	if err != nil {
		return err
	}
	patient, err := o.examine(ctx, client, namespace)
	if err == nil && slices.ContainsFunc(patient.Releases, lagging) {
		// A moment later it can be told whether something rolls out.
		select {
		case <-time.After(controllerLag):
			patient, err = o.examine(ctx, client, namespace)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return err
	}
	found := doctor.Examine(patient)
	if err := o.print(found, patient.Releases, namespace); err != nil {
		return err
	}
	counts := func(f doctor.Finding) bool {
		return f.Severity == canary.Error || o.strict && f.Severity == canary.Warning
	}
	if slices.ContainsFunc(found, counts) {
		return errFindings
	}
	return nil
}

func lagging(r canary.Release) bool { return lags(planned{release: r}) }

// examine reads what the examination looks at.
func (o *doctorOptions) examine(ctx context.Context, client *cluster.Client, namespace string) (*doctor.Patient, error) {
	live, objects, err := client.Examine(ctx, namespace, doctor.Permissions())
	if err != nil {
		return nil, err
	}
	if live.Empty() {
		if err := live.NamespaceError(ctx); err != nil {
			return nil, err
		}
	}
	p := &doctor.Patient{
		Snapshot: live.Snapshot(), Objects: doctor.Objects(*objects), Weights: o.weights, Ask: o.ask,
		NamedRoles: o.choose.options.Stable != "" && o.choose.options.Canary != "",
	}
	p.Releases, err = o.releases(p.Snapshot)
	return p, err
}

// releases are the chosen ones; where none is named, with the Services that may be meant to be one.
func (o *doctorOptions) releases(s *canary.Snapshot) ([]canary.Release, error) {
	found, err := o.choose.find(s, true)
	if err != nil || len(o.choose.names) > 0 {
		return found, err
	}
	return slices.DeleteFunc(found, func(r canary.Release) bool {
		noRelease := r.Stable == nil && !slices.ContainsFunc(r.Problems, func(p canary.Problem) bool { return p.Severity == canary.Error })
		return noRelease && !doctor.MayBeRelease(&r, s)
	}), nil
}

func (o *doctorOptions) print(found []doctor.Finding, releases []canary.Release, namespace string) error {
	all := make([]printer.Finding, len(found))
	for i, f := range found {
		all[i] = printer.Finding(f)
	}
	if o.output.machine() {
		list := printer.NewFindingList(all, namespace, o.command)
		return o.output.printList(o.streams.Out, list, list.Names())
	}
	names := make([]string, len(releases))
	for i, r := range releases {
		names[i] = r.Name
	}
	if len(names) == 0 {
		fmt.Fprintf(o.streams.ErrOut, "No resources found in %s namespace.\n", namespace)
	}
	if len(names)+len(all) == 0 {
		return nil
	}
	table := printer.Findings{Style: style(o.streams.Out), Namespace: namespace, Wide: o.output.wide(), NoHeaders: o.noHeader, Command: o.command}
	return table.Print(o.streams.Out, all, names)
}
