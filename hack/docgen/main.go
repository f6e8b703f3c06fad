// Command docgen writes what can be read off the code: `go run ./hack/docgen docs` writes docs/cmd, with a page for each
// command, docs/exit-codes.md, and the JSON Schemas docs/*.schema.json.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/printer"
	"github.com/kubectl-canary/kubectl-canary/pkg/plugin"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: docgen FOLDER")
	}
	// A default that would name the home of whoever runs this.
	if err := os.Setenv("KUBECACHEDIR", "$HOME/.kube/cache"); err != nil {
		return err
	}
	root := plugin.NewCommand(genericiooptions.NewTestIOStreamsDiscard())
	folder := filepath.Join(args[0], "cmd")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, cmd := range append([]*cobra.Command{root}, pages(root)...) {
		if err := os.WriteFile(filepath.Join(folder, file(cmd)), []byte(page(cmd)), 0o644); err != nil {
			return err
		}
	}
	topic, _, err := root.Find([]string{"exit-codes"})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(args[0], "exit-codes.md"), []byte(exitCodes(topic)), 0o644); err != nil {
		return err
	}
	for _, list := range []any{printer.NewReleaseList(nil, nil), printer.NewChangeList("", nil), printer.NewFindingList(nil, "", nil), printer.NewMetricsList(nil, nil)} {
		kind := reflect.TypeOf(list).Name()
		contract, err := schema(list, kind)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[0], strings.ToLower(kind)+".schema.json"), contract, 0o644); err != nil {
			return err
		}
	}
	contract, err := fileSchema()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(args[0], "analysis.schema.json"), contract, 0o644)
}

// pages are the commands below one, in order of name, that have a page.
func pages(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			all = append(append(all, sub), pages(sub)...)
		}
	}
	return all
}

func file(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md" }

func page(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var s strings.Builder
	fmt.Fprintf(&s, "# %s\n\n%s\n", cmd.CommandPath(), paragraphs(cmd.Long))
	if cmd.HasParent() {
		block(&s, cmd.UseLine())
	}
	if cmd.HasExample() {
		s.WriteString("\n## Examples\n")
		block(&s, outdented(cmd.Example))
	}
	flags := cmd.LocalNonPersistentFlags()
	if cmd.Name() == "options" {
		flags = cmd.Root().PersistentFlags()
	}
	if cmd.HasParent() {
		s.WriteString("\n## Flags\n")
		block(&s, strings.TrimRight(flags.FlagUsages(), "\n"))
	}
	s.WriteString("\n## See also\n\n")
	for _, other := range append([]*cobra.Command{cmd.Root()}, pages(cmd.Root())...) {
		if other != cmd {
			fmt.Fprintf(&s, "- [%s](%s): %s\n", other.CommandPath(), file(other), lower(other.Short))
		}
	}
	s.WriteString("- [Exit codes](../exit-codes.md)\n")
	return s.String()
}

func block(s *strings.Builder, text string) { fmt.Fprintf(s, "\n```\n%s\n```\n", text) }

// paragraphs takes away the space with which the help's paragraphs begin.
func paragraphs(text string) string { return strings.ReplaceAll(text, "\n ", "\n") }

func outdented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

func lower(sentence string) string { return strings.ToLower(sentence[:1]) + sentence[1:] }

// code is a row of the table in the help topic.
var code = regexp.MustCompile(`^ +([0-9]+)  (.+)$`)

func exitCodes(topic *cobra.Command) string {
	var s strings.Builder
	s.WriteString("# Exit codes\n\n")
	for line := range strings.Lines(topic.Long) {
		line = strings.TrimSuffix(line, "\n")
		if row := code.FindStringSubmatch(line); row != nil {
			line = "| " + row[1] + " | " + row[2] + " |"
		} else if line == "" {
			line = "\n| code | meaning |\n|---|---|"
		}
		s.WriteString(line + "\n")
	}
	fmt.Fprintf(&s, "\n`%s help %s` prints the same table.\n", topic.Root().CommandPath(), topic.Name())
	return s.String()
}
