package plugin

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// askTime bounds what a completion asks of the cluster: kubectl and the plugin have to start too, and all of it is to be
// less than a second.
const askTime = 700 * time.Millisecond

// candidate is a word that may stand where the user is typing.
type candidate struct{ word, about string }

// asker finds candidates. An error is as good as none: nobody could be told.
type asker = func(ctx context.Context, cmd *cobra.Command, args []string, typed string) ([]candidate, error)

// oneOf is the annotation of a flag that takes one of a few values.
const oneOf = "one-of"

func takes(flags *pflag.FlagSet, flag string, values ...string) {
	flags.Lookup(flag).Annotations = map[string][]string{oneOf: values}
}

// addCompletions tells a command and those below it how to complete: flags by what they are called, which means the same
// everywhere, and NAMEs where the usage line has them. Nothing else is taken for a file.
func addCompletions(cmd *cobra.Command, conn *connection) {
	files := cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	byFlag := map[string]cobra.CompletionFunc{
		"namespace":     inTime(conn.namespaceNames),
		"context":       inTime(entries(conn, func(c clientcmdapi.Config) map[string]*clientcmdapi.Context { return c.Contexts })),
		"cluster":       inTime(entries(conn, func(c clientcmdapi.Config) map[string]*clientcmdapi.Cluster { return c.Clusters })),
		"user":          inTime(entries(conn, func(c clientcmdapi.Config) map[string]*clientcmdapi.AuthInfo { return c.AuthInfos })),
		"stable":        inTime(conn.versionNames("canary")),
		"canary":        inTime(conn.versionNames("stable")),
		"version-label": inTime(conn.versionLabels),
		"kubeconfig":    files, "certificate-authority": files, "client-certificate": files, "client-key": files,
		"analysis": files, "check": files,
		"cache-dir": cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
	}
	register := func(f *pflag.Flag) {
		complete := byFlag[f.Name]
		if values := f.Annotations[oneOf]; values != nil {
			complete = cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder)
		}
		if complete != nil {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails for a flag that is not there, or twice
		}
	}
	cmd.PersistentFlags().VisitAll(register)
	cmd.Flags().VisitAll(register)
	if strings.Contains(cmd.Use, "[NAME...]") {
		cmd.ValidArgsFunction = inTime(conn.releaseNames)
	}
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	for _, sub := range cmd.Commands() {
		addCompletions(sub, conn)
	}
}

// inTime asks, and returns in time even if that hangs: a credential plugin knows of no context.
func inTime(ask asker) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), askTime)
		defer cancel()
		answer := make(chan []candidate, 1)
		go func() {
			found, err := ask(ctx, cmd, args, typed)
			if err != nil {
				found = nil
			}
			answer <- found
		}()
		var found []candidate
		select {
		case found = <-answer:
		case <-ctx.Done():
		}
		return fitting(found, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// fitting are the candidates that begin with what is typed, for the shell. One that would have to be altered to be shown is
// left out.
func fitting(all []candidate, typed string) []string {
	var words []string
	for _, c := range all {
		if strings.HasPrefix(c.word, typed) && printer.Safe(c.word) == c.word {
			words = append(words, cobra.CompletionWithDesc(c.word, printer.Safe(c.about)))
		}
	}
	return words
}

func candidates(words []string) []candidate {
	all := make([]candidate, len(words))
	for i, word := range words {
		all[i].word = word
	}
	return all
}
