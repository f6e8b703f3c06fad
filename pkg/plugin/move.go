package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// moveOptions is what shift, promote and rollback have in common: they are one mover.
type moveOptions struct {
	conn    *connection
	streams genericiooptions.IOStreams
	choose  chooser
	output  output
	command func(next, namespace string) string
	in      string // the namespace; empty for that of -n or the context

	ask         canary.Ask
	surge       string
	unavailable string
	tolerance   string
	timeout     time.Duration
	drain       time.Duration
	settle      time.Duration
	bake        time.Duration
	onFailure   string
	failures    [2]string // what it may be: what is done by itself, or nothing
	independent bool
	dryRun      string
	reason      string
	force       bool

	typed string // the command line, for the record: verb, names and --to
	again string // the same with every flag that matters, to go on
	flags string // of these, what does not choose releases
	back  string // to go back; empty for a rollback
}

func newMove(conn *connection, streams genericiooptions.IOStreams) *moveOptions {
	return &moveOptions{conn: conn, streams: streams, tolerance: "1", failures: [2]string{"restore", "hold"}}
}

func (o *moveOptions) addFlags(flags *pflag.FlagSet) {
	o.choose.addFlags(flags)
	o.output.addFlags(flags)
	flags.IntVar(&o.ask.Replicas, "replicas", 0, "The baseline: how many replicas carry the full load; recorded or guessed if left out")
	flags.StringVar(&o.surge, "max-surge", "25%", "How many pods more than the target there may be during the move, a count or percent of the baseline")
	flags.StringVar(&o.unavailable, "max-unavailable", "0", "How many ready pods fewer than the target there may be during the move, a count or percent of the baseline")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long each wait for pods may take, 0 for ever")
	flags.DurationVar(&o.drain, "drain", 3*time.Second, "How long pods that have left the Service run on before they are stopped, where a label lets them leave first")
	flags.DurationVar(&o.settle, "settle", 3*time.Second, "How long to watch, when all is done, that nobody else changes replicas again, 0 for not at all")
	flags.StringVar(&o.dryRun, "dry-run", "none", `Must be "none", "client" (print the plan) or "server" (ask the server, which keeps nothing)`)
	flags.Lookup("dry-run").NoOptDefVal = "client"
	takes(flags, "dry-run", "none", "client", "server")
	flags.StringVar(&o.reason, "reason", "", "Why, for the history")
	o.onFailure = o.failures[0]
	if o.ask.Rollback {
		return // it is never refused for these, nor put back
	}
	help := "What to do with releases that cannot come up: restore puts all of them back, hold leaves them"
	if o.onFailure == "rollback" {
		help = "What to do when a gate fails or a release cannot come up: rollback gives all traffic back to stable, hold leaves it"
	}
	flags.StringVar(&o.onFailure, "on-failure", o.failures[0], help)
	takes(flags, "on-failure", o.failures[:]...)
	flags.BoolVar(&o.force, "force", false, "Go on in spite of refusals that offer it: an autoscaler, a quota without room, a paused Deployment and others")
}

// complete parses everything before the first request, and runs the move.
func (o *moveOptions) complete(cmd *cobra.Command, args []string) error {
	if err := o.parse(cmd, args); err != nil {
		return err
	}
	return o.run(cmd.Context())
}

func (o *moveOptions) parse(cmd *cobra.Command, args []string) error {
	for _, step := range []func() error{
		func() error { return o.choose.complete(args) },
		func() error { return o.output.complete() },
		o.completeAsk,
		o.completeModes,
		func() error {
			if cmd.Flags().Changed("replicas") && o.ask.Replicas < 1 {
				return fmt.Errorf("invalid --replicas %d: want at least 1", o.ask.Replicas)
			}
			return nil
		},
	} {
		if err := step(); err != nil {
			return usageError{cmd, err}
		}
	}
	if o.ask.Rollback && !cmd.Flags().Changed("max-surge") {
		all := canary.Percent(100)
		o.ask.MoveSurge = &all
	}
	o.command = o.conn.command(cmd)
	o.remember(cmd, args)
	return nil
}

func (o *moveOptions) completeAsk() (err error) {
	if o.ask.MaxTotal < 0 {
		return fmt.Errorf("invalid --max-total %d: want at least 2", o.ask.MaxTotal)
	}
	if o.ask.Surge, err = canary.ParseAmount(o.surge); err != nil {
		return fmt.Errorf("--max-surge: %w", err)
	}
	if o.ask.Unavailable, err = canary.ParseAmount(o.unavailable); err != nil {
		return fmt.Errorf("--max-unavailable: %w", err)
	}
	if o.ask.Surge.Value == 0 && o.ask.Unavailable.Value == 0 {
		return errors.New("--max-surge and --max-unavailable are both 0: no pod could be moved")
	}
	if o.ask.Tolerance, err = canary.ParseWeight(o.tolerance); err != nil {
		return fmt.Errorf("--tolerance: %w", err)
	}
	return nil
}

func (o *moveOptions) completeModes() error {
	if !slices.Contains(o.failures[:], o.onFailure) {
		return fmt.Errorf("invalid --on-failure %q: want %q or %q", o.onFailure, o.failures[0], o.failures[1])
	}
	switch o.dryRun {
	case "none", "client", "server":
	default:
		return fmt.Errorf(`invalid --dry-run %q: must be "none", "server" or "client"`, o.dryRun)
	}
	if o.timeout < 0 {
		return fmt.Errorf("invalid --timeout %s: want 0 or more", o.timeout)
	}
	if o.drain < 0 {
		return fmt.Errorf("invalid --drain %s: want 0 or more", o.drain)
	}
	if o.settle < 0 {
		return fmt.Errorf("invalid --settle %s: want 0 or more", o.settle)
	}
	return nil
}

// passing are the flags that say how a move is reported, not what it does.
var passing = []string{"output", "dry-run", "reason"}

// remember writes down the command line as the user could type it again.
func (o *moveOptions) remember(cmd *cobra.Command, args []string) {
	words := name + " " + cmd.Name()
	for _, a := range args {
		words += " " + quote(a)
	}
	o.typed, o.again = cmd.Name(), words
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		switch {
		case !f.Changed || slices.Contains(passing, f.Name):
			return
		case f.Name == "to" || f.Name == "to-previous":
			o.typed += repeat(f)
		}
		o.again += repeat(f)
		if f.Name != "selector" {
			o.flags += repeat(f)
		}
	})
	if !o.ask.Rollback {
		o.back = strings.Replace(words, cmd.Name(), "rollback", 1)
		for _, flag := range []string{"selector", "version-label", "stable", "canary"} {
			if f := cmd.Flags().Lookup(flag); f.Changed {
				o.back += repeat(f)
			}
		}
	}
}
