package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// startGrace is how long a pod may be starting before `status` says that it is not ready.
const startGrace = 10 * time.Second

type statusOptions struct {
	conn     *connection
	streams  genericiooptions.IOStreams
	choose   chooser
	output   output
	command  func(next, namespace string) string
	everyNS  bool
	all      bool
	watch    bool
	byPhase  bool
	noHeader bool
}

func newStatus(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &statusOptions{conn: conn, streams: streams}
	cmd := &cobra.Command{
		Use:     "status [NAME...]",
		GroupID: "see",
		Short:   "Show how traffic is split, from the ready endpoints",
		Long: long(`
			Show how traffic is split between the versions of each release.

			The weight is the canary's share of the ready endpoints in the Service's EndpointSlices: what is served,
			not what was asked for. An arrow points to the weight that was asked for, while it is not reached. Below
			the table stands what is wrong, since when, and what to run next; with -o wide also how it has come to that,
			from the Deployment over its pods to their last Events.

			NAME is a release, which is named after its Service; service/NAME and deployment/NAME work too.`),
		Example: examples(`
			# Show every release of a namespace
			kubectl canary status -n messenger

			# Show why one of them does not come up
			kubectl canary status auth -o wide

			# Watch one of them
			kubectl canary status auth -w

			# Fail in a script unless everything is in order
			kubectl canary status --exit-status

			# Print a weight for a script
			kubectl canary status auth -o jsonpath='{.items[0].weight.actual}'`),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.command = conn.command(cmd)
			if err := o.choose.complete(args); err != nil {
				return usageError{cmd, err}
			}
			if err := o.output.complete("wide"); err != nil {
				return usageError{cmd, err}
			}
			if o.everyNS && len(args) > 0 {
				return usageError{cmd, errors.New("a NAME cannot be given with --all-namespaces")}
			}
			if o.watch && o.output.machine() {
				return usageError{cmd, errors.New("--watch prints a table: leave out --output")}
			}
			return o.run(cmd.Context())
		},
	}
	o.choose.addFlags(cmd.Flags())
	o.output.addFlags(cmd.Flags(), "wide")
	cmd.Flags().BoolVarP(&o.everyNS, "all-namespaces", "A", false, "Show the releases of all namespaces")
	cmd.Flags().BoolVar(&o.all, "all", false, "Show Services with one version too")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "Go on showing what changes")
	cmd.Flags().BoolVar(&o.byPhase, "exit-status", false, "Exit with 3 unless every phase is Stable, Canary or Promoted")
	cmd.Flags().BoolVar(&o.noHeader, "no-headers", false, "Leave out the header of the table")
	return cmd
}

func (o *statusOptions) run(ctx context.Context) error {
	namespace := ""
	if !o.everyNS {
		var err error
		if namespace, err = o.conn.namespace(); err != nil {
			return err
		}
	}
	client, err := o.conn.client(o.streams.ErrOut)
	if err != nil {
		return err
	}
	if o.watch {
		return o.follow(ctx, client, namespace)
	}
	statuses, err := o.once(ctx, client, namespace)
	if err != nil {
		return err
	}
	if err := o.print(statuses, namespace, client.Now()); err != nil {
		return err
	}
	if o.byPhase && slices.ContainsFunc(statuses, func(s printer.Status) bool { return !inOrder(s.Release.Phase()) }) {
		return errPhase
	}
	return nil
}

// once reads how the releases of a namespace stand, or with an empty name those of all.
func (o *statusOptions) once(ctx context.Context, client *cluster.Client, namespace string) ([]printer.Status, error) {
	wide := o.output.wide()
	live, err := o.conn.read(ctx, client, namespace, cluster.Want{Autoscalers: wide, Names: o.choose.names})
	if err != nil {
		return nil, err
	}
	found, err := o.find(live)
	if err != nil {
		return nil, err
	}
	drifted := slices.ContainsFunc(found, func(f seen) bool { return f.release.Drifted() })
	if drifted && !wide { // one of them may have done it
		if err := live.ReadAutoscalers(ctx); err != nil {
			return nil, err
		}
		if found, err = o.find(live); err != nil {
			return nil, err
		}
	}
	return o.look(ctx, client, live, found)
}

// seen is a release and the namespace it was found in.
type seen struct {
	release  canary.Release
	snapshot *canary.Snapshot
}

func (o *statusOptions) find(live *cluster.Live) ([]seen, error) {
	var all []seen
	for _, s := range live.Snapshots() {
		releases, err := o.choose.find(s, o.all)
		if err != nil {
			return nil, err
		}
		for _, r := range releases {
			all = append(all, seen{r, s})
		}
	}
	return all, nil
}

// unhealthy are the Deployments, by namespace, that need a look at their pods.
func unhealthy(found []seen) map[string][]canary.Deployment {
	sick := map[string][]canary.Deployment{}
	for _, f := range found {
		for _, v := range f.release.Versions() {
			if v.Serving < v.Deployment.Replicas { // a dark pod may have failed
				sick[f.release.Namespace] = append(sick[f.release.Namespace], v.Deployment)
			}
		}
	}
	return sick
}

func inOrder(p canary.Phase) bool {
	return p == canary.PhaseStable || p == canary.PhaseCanary || p == canary.PhasePromoted
}

// judge adds what is wrong.
func (o *statusOptions) judge(found []seen, now time.Time) []printer.Status {
	all := make([]printer.Status, len(found))
	for i := range found {
		r := &found[i].release
		all[i] = printer.Status{Release: *r, Problems: canary.Troubles(r, found[i].snapshot, now, startGrace)}
		for _, a := range found[i].snapshot.Autoscalers {
			if slices.ContainsFunc(r.Versions(), func(v *canary.Version) bool { return v.Deployment.Name == a.Deployment }) {
				all[i].Autoscalers = append(all[i].Autoscalers, a)
			}
		}
	}
	return all
}

func (o *statusOptions) table(now time.Time) printer.Table {
	return printer.Table{
		Style: style(o.streams.Out), Now: now, Namespace: o.everyNS, Wide: o.output.wide(), NoHeaders: o.noHeader, Command: o.command,
	}
}

func (o *statusOptions) print(all []printer.Status, namespace string, now time.Time) error {
	if o.output.machine() {
		return o.output.print(o.streams.Out, all, o.command)
	}
	if len(all) == 0 {
		where := "any namespace"
		if namespace != "" {
			where = namespace + " namespace"
		}
		_, err := fmt.Fprintf(o.streams.ErrOut, "No resources found in %s.\n", where)
		return err
	}
	return o.table(now).Print(o.streams.Out, all)
}
