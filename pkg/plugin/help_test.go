package plugin

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/util/sanity"
)

// commands are all commands of the tree, those that cobra adds too.
func commands() []*cobra.Command {
	root := NewCommand(genericiooptions.NewTestIOStreamsDiscard())
	root.InitDefaultHelpCmd()
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return all
}

// kubectl's own checks of texts and flags.
func TestSanity(t *testing.T) {
	root := NewCommand(genericiooptions.NewTestIOStreamsDiscard())
	for _, err := range sanity.RunCmdChecks(root, sanity.AllCmdChecks, nil) {
		t.Error(err)
	}
	for _, err := range sanity.RunGlobalChecks(sanity.AllGlobalChecks) {
		t.Error(err)
	}
}

// bare is the plugin's name, or a command of it, as nobody can type it.
var bare = regexp.MustCompile(`(?m)(^|[^l]) canary (status|shift|promote|rollback|version|options|help|completion|\[command\])|kubectl (status|shift|promote|rollback) |^\s*canary( |$)`)

// Help shows what the user types: `kubectl canary …`.
func TestHelpSaysKubectlCanary(t *testing.T) {
	for _, cmd := range commands() {
		path := strings.Fields(cmd.CommandPath())[2:]
		_, out, _ := execute(append(path, "--help")...)
		if cmd.Runnable() && !strings.Contains(out, "kubectl canary") {
			t.Errorf("%q: the help does not say kubectl canary:\n%s", path, out)
		}
		for _, found := range bare.FindAllString(out, -1) {
			t.Errorf("%q: the help says %q:\n%s", path, found, out)
		}
		if n := longest(out); n > 120 {
			t.Errorf("%q: a line of the help has %d columns", path, n)
		}
	}
}

func longest(text string) (n int) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "-") { // a flag and its usage are one line, as in kubectl
			n = max(n, len([]rune(line)))
		}
	}
	return n
}

// What a page says beyond cobra's own.
func TestHelpPages(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"Usage:\n  kubectl canary [command]", "See:\n", "Move:\n", "Other:\n", "kubectl canary help exit-codes", "kubectl canary options"}},
		{[]string{"shift", "-h"}, []string{"kubectl canary shift [NAME...] --to WEIGHT", "--max-surge", "--dry-run", `Use "kubectl canary options"`}},
		{[]string{"rollback", "-h"}, []string{"--to-previous", `(default "100%")`}},
		{[]string{"help", "shift"}, []string{"kubectl canary shift [NAME...] --to WEIGHT"}},
		{[]string{"help", "exit-codes"}, []string{"124  the deadline passed"}},
		{[]string{"options"}, []string{"--context", "--kubeconfig", "-n, --namespace", "-v, --v"}},
	} {
		code, out, errOut := execute(c.args...)
		if code != 0 || errOut != "" {
			t.Errorf("%q exits with %d: %s", c.args, code, errOut)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%q does not say %q:\n%s", c.args, want, out)
			}
		}
	}
	if _, out, _ := execute("shift", "-h"); strings.Contains(out, "--certificate-authority") {
		t.Error("the connection flags bury the command's own")
	}
}

// Sentences are kubectl's: Short without a full stop, flags with a capital.
func TestHelpConventions(t *testing.T) {
	for _, cmd := range commands() {
		if strings.HasSuffix(cmd.Short, ".") || cmd.Short == "" || strings.ToUpper(cmd.Short[:1]) != cmd.Short[:1] {
			t.Errorf("%s: %q", cmd.CommandPath(), cmd.Short)
		}
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") && !strings.Contains(line, "kubectl canary ") && !strings.HasPrefix(line, "ln ") {
				t.Errorf("%s: the example %q", cmd.CommandPath(), line)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, errOut := execute("version")
	if code != 0 || errOut != "" || !regexp.MustCompile(`^kubectl-canary v\S+ \(commit \S+, go\S+, \w+/\w+\)\n$`).MatchString(out) {
		t.Errorf("%d, %q, %q", code, out, errOut)
	}
}
