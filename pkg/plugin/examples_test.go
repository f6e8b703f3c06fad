package plugin

import (
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// words takes a command line apart as a shell would. No example has quotes in quotes.
func words(line string) (all []string) {
	quoted := false
	for _, word := range strings.FieldsFunc(line, func(r rune) bool {
		if r == '\'' || r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	}) {
		if word == "|" || strings.HasPrefix(word, ">") || word == "&&" {
			break
		}
		all = append(all, strings.NewReplacer(`'`, "", `"`, "").Replace(word))
	}
	return all
}

// Every example of the help, and so of docs/cmd, is a command line that there is.
func TestExamples(t *testing.T) {
	examples := 0
	for _, cmd := range commands() {
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(line)
			args, ours := strings.CutPrefix(line, "kubectl canary ")
			if !ours {
				continue
			}
			examples++
			root := NewCommand(genericiooptions.NewTestIOStreamsDiscard())
			found, rest, err := root.Find(words(args))
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil {
				err = found.ValidateRequiredFlags()
			}
			if err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil || cmd.HasParent() && found.Name() != cmd.Name() {
				t.Errorf("%s: the example %q: %v", cmd.CommandPath(), line, err)
			}
		}
	}
	if examples < 10 {
		t.Errorf("only %d examples: the test does not see them", examples)
	}
}
