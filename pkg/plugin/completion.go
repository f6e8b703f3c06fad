package plugin

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// The files that kubectl looks for on the PATH: a dash in them is a space on its command line.
var (
	binary    = "kubectl-" + strings.ReplaceAll(name, "-", "_")
	completer = strings.Replace(binary, "-", "_complete-", 1) // run with words, the last of which is to be completed
)

// CommandLine returns the arguments of a process, and whether they ask for completions. It is a link of another name to
// the same program that completes for kubectl.
func CommandLine(argv []string) (args []string, completing bool) {
	args = argv[1:]
	if strings.TrimSuffix(filepath.Base(argv[0]), ".exe") == completer {
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	return args, len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

func newCompletion(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:     "completion SHELL",
		GroupID: "other",
		Short:   "Complete commands, flags and names in a shell",
		Long: long(fmt.Sprintf(`
			Print a script that completes commands, flags, releases and versions, for bash, zsh, fish or powershell.

			The script is for those who type %[1]s. Behind kubectl there is nothing to load but kubectl's own
			completion, which asks a program named %[2]s: link that name to the plugin, as the first
			example does. On Windows copy %[1]s.exe to %[2]s.exe.

			What a completion has to ask the cluster is asked within a second, or left out. It changes nothing.`, binary, completer)),
		Example: examples(fmt.Sprintf(`
			# Complete behind kubectl, in every shell in which kubectl completes
			ln -sf %[1]s "$(dirname "$(command -v %[1]s)")/%[2]s"

			# Complete %[1]s itself
			source <(kubectl %[3]s completion bash)
			kubectl %[3]s completion zsh >"${fpath[1]}/_%[1]s"
			kubectl %[3]s completion fish >~/.config/fish/completions/%[1]s.fish
			kubectl %[3]s completion powershell | Out-String | Invoke-Expression`, binary, completer, name)),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(cmd.ValidArgs, args[0]) {
				return usageError{cmd, fmt.Errorf("say one shell: %s", strings.Join(cmd.ValidArgs, ", "))}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			root := &cobra.Command{Use: binary} // the scripts know no more of a program than its name
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(streams.Out, true)
			case "zsh":
				return root.GenZshCompletion(streams.Out)
			case "fish":
				return root.GenFishCompletion(streams.Out, true)
			}
			return root.GenPowerShellCompletionWithDesc(streams.Out)
		},
	}
}
