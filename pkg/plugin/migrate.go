package plugin

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

type migrateOptions struct {
	*moveOptions
	gates gateOptions

	schedule string
	pause    time.Duration
	to       string
	approve  bool
	plan     bool
	resume   bool
	report   string

	steps   []canary.Step
	flags   *pflag.FlagSet
	reparse func() error // parses again what the record has set
}

func newMigrate(conn *connection, streams genericiooptions.IOStreams) *cobra.Command {
	o := &migrateOptions{moveOptions: newMove(conn, streams)}
	o.failures = [2]string{"rollback", "hold"}
	cmd := &cobra.Command{
		Use:     "migrate [NAME...]",
		GroupID: "move",
		Short:   "Move the traffic to the canary in steps, and watch it",
		Long: long(`
			Move the traffic to the canary in steps, and watch it in a pause after each. A step
			is what shift does: all releases together, behind one barrier, within the floor and the ceiling.

			Gates compare the canary with what is allowed, and with stable over the same time. A gate that fails rolls
			all releases back at once (exit 4); one that has seen too little by the end of a pause holds them where
			they are (exit 5). With --independent each release goes by itself.

			How far it has come is kept in the Lease of each release: after Ctrl-C or a lost connection the same
			command, or --resume, goes on with the rest of the pause. The commands pause, resume, approve and abort
			control it from another terminal. What else moves a release ends its migration.`),
		Example: examples(`
			# Move every release of a namespace in four steps, five minutes each
			kubectl canary migrate -n messenger

			# See what the steps become in pods, and how long it takes
			kubectl canary migrate --steps 10@1h,50@30m,100 --plan

			# Let a person decide after each step, here or with kubectl canary approve
			kubectl canary migrate auth --approve

			# Go on where it was interrupted
			kubectl canary migrate --resume -n messenger`),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.flags = cmd.LocalNonPersistentFlags()
			o.reparse = func() error { return o.parseAll(cmd, args) }
			if err := o.reparse(); err != nil {
				return err
			}
			return o.migrate(cmd.Context())
		},
	}
	flags := cmd.Flags()
	o.addFlags(flags)
	o.gates.addFlags(flags)
	flags.StringVar(&o.schedule, "steps", "25,50,75,100", "The weights in percent, each with a pause of its own if it has one, such as 25@10m,50@30m,100")
	flags.DurationVar(&o.pause, "pause", 5*time.Minute, "How long to stay at a step that does not say so; at the last step not at all")
	flags.StringVar(&o.to, "to", "100", "The weight to stop at")
	takes(flags, "to", "10", "25", "50", "75", "100")
	flags.BoolVar(&o.approve, "approve", false, "Wait after each pause until somebody approves, by Enter or with kubectl canary approve")
	flags.BoolVar(&o.independent, "independent", false, "Let each release go by itself: one that fails leaves the others alone")
	flags.BoolVar(&o.plan, "plan", false, "Print the schedule with what each weight becomes in pods, and do nothing")
	flags.BoolVar(&o.resume, "resume", false, "Go on with the migration that was interrupted, with its own steps and flags")
	flags.StringVar(&o.report, "report", "", "Write what was seen at each step into this file, as Markdown")
	flags.BoolVar(&o.ask.Exact, "exact", false, "Take as many pods as each weight exactly needs, at or above the baseline")
	flags.IntVar(&o.ask.MaxTotal, "max-total", 0, "With --exact, the most pods it may take; 0 means four times the baseline")
	flags.StringVar(&o.tolerance, "tolerance", "1", "How many percentage points beside a weight are as good as the weight")
	return cmd
}

// parseAll parses everything: as typed, and again with what the record of an interrupted migration has set.
func (o *migrateOptions) parseAll(cmd *cobra.Command, args []string) error {
	if err := o.parse(cmd, args); err != nil {
		return err
	}
	to, err := canary.ParseWeight(o.to)
	if err == nil {
		o.steps, err = canary.ParseSteps(o.schedule, o.pause, to)
	}
	if err == nil {
		err = o.gates.complete(cmd.Flags())
	}
	if err == nil && !o.approve {
		err = o.gates.fitProbes(o.steps, 2)
	}
	if err == nil && o.resume && (o.plan || o.dryRun != "none") {
		err = errors.New("--resume goes on: leave out --plan and --dry-run")
	}
	if err != nil {
		return usageError{cmd, err}
	}
	if o.plan {
		o.dryRun = "client"
	}
	return nil
}

// fleeting are the flags that a migration does not go on with: what is recorded elsewhere, and what is of one run only.
var fleeting = []string{"steps", "pause", "to", "approve", "plan", "resume", "report", "selector", "output", "dry-run", "reason"}

// args are the flags that matter to go on, as name=value. Of what may hold a credential there is only the name.
func (o *migrateOptions) args(warn func(string)) (args []string) {
	o.flags.VisitAll(func(f *pflag.Flag) {
		if !f.Changed || slices.Contains(fleeting, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		for _, v := range values {
			if u, err := url.Parse(v); err == nil && u.User != nil {
				warn("--" + f.Name + " has a password in it and is not recorded: give it again to resume")
				args = append(args, f.Name)
				continue
			}
			args = append(args, f.Name+"="+v)
		}
	})
	return args
}

// adopt sets the flags that a record has, but for those that were typed. It fails where one cannot be had: it may be a gate.
func (o *migrateOptions) adopt(m *canary.Migration) error {
	for _, arg := range m.Args {
		flag, _, recorded := strings.Cut(arg, "=")
		switch f := o.flags.Lookup(flag); {
		case f == nil:
			return fmt.Errorf("the migration was begun with --%s, which this version does not know", flag)
		case !recorded && !f.Changed:
			return fmt.Errorf("the migration was begun with --%s, which had a password in it and is not recorded: give it again", flag)
		}
	}
	var broken error
	o.flags.VisitAll(func(f *pflag.Flag) {
		values := m.Arg(f.Name)
		if f.Changed || len(values) == 0 || slices.Contains(fleeting, f.Name) {
			return
		}
		for _, v := range values {
			if err := o.flags.Set(f.Name, v); err != nil {
				broken = fmt.Errorf("the record of the migration has a flag that cannot be read: %w", err)
			}
		}
	})
	if broken != nil {
		return broken
	}
	return o.reparse()
}
