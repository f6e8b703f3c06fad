package plugin

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

type historyOptions struct {
	conn     *connection
	streams  genericiooptions.IOStreams
	choose   chooser
	output   output
	noHeader bool
}

func newHistory(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &historyOptions{conn: conn, streams: streams}
	cmd := &cobra.Command{
		Use:     "history [NAME...]",
		GroupID: "see",
		Short:   "Show who moved what, when, why, and how that ended",
		Long: long(`
			Show the changes of each release's split by this plugin, the newest last: who, from and to which weight and
			replicas, with which command, why, how that ended, and how long it took.

			Each release's Lease holds the last 20. What is older, or was done by who might not write the Lease, is shown as
			long as there are Events of it, an hour in most clusters; an Event has no reason, and no duration.

			NAME is a release, which is named after its Service; service/NAME and deployment/NAME work too.`),
		Example: examples(`
			# Show what was moved in a namespace
			kubectl canary history -n messenger

			# Show one release, with times
			kubectl canary history auth -o wide

			# Print the reasons of what was promoted
			kubectl canary history -o jsonpath='{range .items[?(@.command=="promote")]}{.release}: {.reason}{"\n"}{end}'`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.choose.complete(args); err != nil {
				return usageError{cmd, err}
			}
			if err := o.output.complete("wide"); err != nil {
				return usageError{cmd, err}
			}
			return o.run(cmd.Context())
		},
	}
	o.choose.addSelector(cmd.Flags())
	o.output.addFlags(cmd.Flags(), "wide")
	cmd.Flags().BoolVar(&o.noHeader, "no-headers", false, "Leave out the header of the table")
	return cmd
}

func (o *historyOptions) run(ctx context.Context) error {
	client, namespace, err := o.conn.open(o.streams.ErrOut)
	if err != nil {
		return err
	}
	past, err := client.ReadPast(ctx, namespace)
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("you may not list leases in namespace %q, which hold the history (docs/rbac.md)", namespace)
	}
	if err != nil {
		return err
	}
	all, err := o.chosen(ctx, client, namespace, canary.History(past.Leases, past.Notices))
	if err != nil {
		return err
	}
	if past.EventsHidden {
		fmt.Fprintln(o.streams.ErrOut, "Warning: events are forbidden: only what Leases hold is shown")
	}
	return o.print(all, namespace, client)
}

// chosen are the changes of the releases that were named. A bare NAME may be that of a release that is no longer there.
func (o *historyOptions) chosen(ctx context.Context, client *cluster.Client, namespace string, all []canary.Entry) ([]canary.Entry, error) {
	if !o.choose.named() {
		if len(all) > 0 {
			return all, nil
		}
		return all, client.NamespaceError(ctx, namespace)
	}
	s, err := client.ReadShape(ctx, namespace)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	var names []string
	for _, name := range o.choose.names {
		if slices.ContainsFunc(all, func(e canary.Entry) bool { return e.Release == name }) {
			wanted[name] = true
		} else {
			names = append(names, name)
		}
	}
	if len(wanted) == 0 || len(names) > 0 {
		o.choose.names = names
		found, err := o.choose.find(s, false)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			wanted[r.Name] = true
		}
	}
	return slices.DeleteFunc(all, func(e canary.Entry) bool { return !wanted[e.Release] }), nil
}

func (o *historyOptions) print(all []canary.Entry, namespace string, client *cluster.Client) error {
	if !o.output.machine() && len(all) == 0 {
		_, err := fmt.Fprintf(o.streams.ErrOut, "No resources found in %s namespace.\n", namespace)
		return err
	}
	if o.output.machine() {
		var names []string
		for _, e := range all {
			names = append(names, "service/"+e.Release)
		}
		slices.Sort(names)
		return o.output.printList(o.streams.Out, printer.NewChangeList(namespace, all), slices.Compact(names))
	}
	table := printer.History{Style: style(o.streams.Out), Now: client.Now(), Wide: o.output.wide(), NoHeaders: o.noHeader}
	return table.Print(o.streams.Out, all)
}
