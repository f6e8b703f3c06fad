package plugin

import (
	"fmt"
	"strings"

	"github.com/mitchellh/go-wordwrap"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"
)

// usage is cobra's own, but for the connection flags, which every command has: they are listed by `options`. It is no template:
// with those of the library, which find methods by name, the linker would have to keep every method there is.
func usage(cmd *cobra.Command) error {
	var s strings.Builder
	s.WriteString("Usage:")
	if cmd.Runnable() && cmd.HasParent() {
		s.WriteString("\n  " + cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		s.WriteString("\n  " + cmd.CommandPath() + " [command]")
	}
	if cmd.HasExample() {
		s.WriteString("\n\nExamples:\n" + cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		for _, group := range cmd.Groups() {
			s.WriteString("\n\n" + group.Title)
			for _, sub := range cmd.Commands() {
				if sub.GroupID == group.ID && (sub.IsAvailableCommand() || sub.Name() == "help") {
					fmt.Fprintf(&s, "\n  %-*s %s", sub.NamePadding(), sub.Name(), sub.Short)
				}
			}
		}
	}
	if cmd.HasParent() && cmd.HasAvailableLocalFlags() {
		s.WriteString("\n\nFlags:\n" + strings.TrimRight(cmd.LocalFlags().FlagUsages(), " \n"))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&s, "\n\nUse \"%s [command] --help\" for more information about a command.", cmd.CommandPath())
	} else {
		s.WriteString("\n")
	}
	fmt.Fprintf(&s, "\nUse \"%s options\" for the flags of all commands, such as --namespace and --context.", cmd.Root().CommandPath())
	if !cmd.HasParent() {
		fmt.Fprintf(&s, "\nUse \"%s help exit-codes\" for what the commands exit with.", cmd.CommandPath())
	}
	_, err := fmt.Fprintln(cmd.OutOrStderr(), s.String())
	return err
}

// helpWidth is where help is wrapped, in columns.
const helpWidth = 80

// help prints what a command is for, wrapped, and its usage.
func help(cmd *cobra.Command, _ []string) {
	var paragraphs []string
	for _, p := range strings.Split(cmd.Long, "\n") {
		if strings.HasPrefix(p, "  ") { // a table
			paragraphs = append(paragraphs, p)
			continue
		}
		paragraphs = append(paragraphs, wordwrap.WrapString(strings.TrimPrefix(p, " "), helpWidth))
	}
	text := strings.Join(paragraphs, "\n") + "\n"
	if cmd.Runnable() {
		text += "\n" + cmd.UsageString()
	}
	fmt.Fprint(cmd.OutOrStdout(), text)
}

// newHelp is cobra's own, but that it does not pass over a word that is no command.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		GroupID: "other",
		Short:   "Help about any command",
		Long:    "Print what a command is for, its flags and examples.",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, words, err := cmd.Root().Find(args)
			if err != nil || len(words) > 0 {
				return usageError{cmd.Root(), unknownCommand(cmd.Root(), args[0])}
			}
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			var found []candidate
			if about, words, err := cmd.Root().Find(args); err == nil && len(words) == 0 {
				for _, sub := range about.Commands() {
					if !sub.Hidden {
						found = append(found, candidate{sub.Name(), sub.Short})
					}
				}
			}
			return fitting(found, typed), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func newOptions(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:     "options",
		GroupID: "other",
		Short:   "List the flags of all commands",
		Long:    "List the flags that every command has: how to reach the cluster, as whom, and in which namespace.",
		Args:    noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(streams.Out, "The following flags can be passed to any command:\n\n%s", cmd.Root().PersistentFlags().FlagUsages())
			return err
		},
	}
}

func newExitCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the commands exit with",
		Long:  "The commands exit with one of these codes:\n\n" + strings.TrimSuffix(exitCodeTable(), "\n"),
	}
}

func exitCodeTable() string {
	var s strings.Builder
	for _, row := range exitCodes {
		fmt.Fprintf(&s, "   %3d  %s\n", row.code, row.meaning)
	}
	return s.String()
}

// unknownCommand says what was meant.
func unknownCommand(cmd *cobra.Command, word string) error {
	s := fmt.Sprintf("unknown command %q for %q", word, cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if meant := cmd.SuggestionsFor(word); len(meant) > 0 {
		s += "; did you mean " + strings.Join(meant, " or ") + "?"
	}
	return fmt.Errorf("%s", s)
}

func long(s string) string     { return templates.LongDesc(s) }
func examples(s string) string { return templates.Examples(s) }
