// Package plugin is `kubectl canary`: its commands, from flags to what is run, and what they exit with.
package plugin

import (
	"context"
	"fmt"
	"io"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// name is the plugin's: the file is kubectl-NAME. krew may ask for another.
const name = "canary"

// Main runs the command line and returns the exit code. A signal cancels the context with ErrInterrupted.
func Main(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	cmd := NewCommand(genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut}) //nolint:contextcheck // commands get it when they run
	cmd.SetArgs(args)
	return report(errOut, cmd.ExecuteContext(ctx))
}

// NewCommand returns the whole tree of commands.
func NewCommand(streams genericiooptions.IOStreams) *cobra.Command {
	cmd, _ := newTree(streams)
	return cmd
}

func newTree(streams genericiooptions.IOStreams) (*cobra.Command, *connection) {
	cmd := &cobra.Command{
		Use:   name,
		Short: "Run canary releases on the Deployments you already have",
		Long: templates.LongDesc(`
			Run canary releases on the Deployments you already have.

			A release is a Service and the Deployments behind it that differ in their version label. The Service
			spreads connections over the ready pods of all versions, so the canary's weight is its share of the
			ready endpoints. There is no controller and nothing to install in the cluster.`),
		Example: templates.Examples(`
			# Show the split of every release of a namespace
			kubectl canary status -n messenger

			# Move half of the traffic of all of them, together or not at all
			kubectl canary shift --to 50 -n messenger

			# Give everything to the canary, or take everything back
			kubectl canary promote -n messenger
			kubectl canary rollback -n messenger`),
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl " + name},
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              noCommand,
		PersistentPreRun:  quiet,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetIn(streams.In)
	cmd.SetOut(streams.Out)
	cmd.SetErr(streams.ErrOut)
	cmd.SetUsageFunc(usage)
	cmd.SetHelpFunc(help)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if word := cmd.Flags().Arg(0); !cmd.HasParent() && word != "" {
			err = unknownCommand(cmd, word) // whose flags the root cannot know
		}
		return usageError{cmd, err}
	})
	cmd.SetHelpCommand(newHelp())

	conn := newConnection(cmd.PersistentFlags())
	cmd.AddGroup(&cobra.Group{ID: "see", Title: "See:"}, &cobra.Group{ID: "move", Title: "Move:"}, &cobra.Group{ID: "other", Title: "Other:"})
	cmd.AddCommand(
		newStatus(conn, streams), newMetrics(conn, streams), newDoctor(conn, streams), newWait(conn, streams), newHistory(conn, streams),
		newAnalysis(conn, streams),
		newShift(conn, streams), newPromote(conn, streams), newRollback(conn, streams), newDeploy(conn, streams), newMigrate(conn, streams),
		newControl(conn, streams, canary.VerbPause), newControl(conn, streams, canary.VerbResume),
		newControl(conn, streams, canary.VerbApprove), newControl(conn, streams, canary.VerbAbort),
		newVersion(streams), newOptions(streams), newExitCodes(), newCompletion(streams),
	)
	addCompletions(cmd, conn)
	return cmd, conn
}

// quiet keeps the client library from writing between our lines, unless the user asks for its log.
func quiet(cmd *cobra.Command, _ []string) {
	if !cmd.Flags().Changed("v") {
		klog.SetLogger(logr.Discard())
	}
}

// noCommand refuses words after the plugin's name that are no command, with a suggestion.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{cmd, unknownCommand(cmd, args[0])}
}

// noWords refuses words after a command that takes none.
func noWords(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{cmd, fmt.Errorf("unknown argument %q", args[0])}
}
