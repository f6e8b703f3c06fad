package plugin

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// shape reads which releases there are.
func (c *connection) shape(ctx context.Context) (*canary.Snapshot, error) {
	namespace, err := c.namespace()
	if err != nil {
		return nil, err
	}
	client, err := c.client(io.Discard)
	if err != nil {
		return nil, err
	}
	return client.ReadShape(ctx, namespace)
}

// releaseNames offers the releases that are not named yet; after svc/ or deploy/ their Services or Deployments.
func (c *connection) releaseNames(ctx context.Context, cmd *cobra.Command, args []string, typed string) ([]candidate, error) {
	if cmd.Flags().Changed("selector") || cmd.Flags().Changed("all-namespaces") {
		return nil, nil // which leave no place for a NAME
	}
	s, err := c.shape(ctx)
	if err != nil {
		return nil, err
	}
	all, _ := cmd.Flags().GetBool("all")
	options := canary.Options{VersionLabel: typedFlag(cmd, "version-label"), All: all}
	named := map[string]bool{}
	for _, arg := range args {
		these, _ := canary.Find(s, options, []string{arg})
		for _, r := range these {
			named[r.Name] = true
		}
	}
	kind, _, qualified := strings.Cut(typed, "/")
	var offered []candidate
	for _, r := range canary.Discover(s, options) {
		switch {
		case named[r.Name]:
		case qualified:
			for _, object := range r.Objects(kind) {
				offered = append(offered, candidate{kind + "/" + object, readiness(&r)})
			}
		default:
			offered = append(offered, candidate{r.Name, readiness(&r)})
		}
	}
	return offered, nil
}

// readiness tells how many pods of each version are ready, of how many.
func readiness(r *canary.Release) string {
	var all []string
	for _, v := range r.Versions() {
		all = append(all, fmt.Sprintf("%s %d/%d", v.Name, v.Deployment.ReadyPods, v.Deployment.Replicas))
	}
	return strings.Join(all, ", ")
}

// versionNames offers the versions of the named releases, but the one that has the other role.
func (c *connection) versionNames(other string) asker {
	return func(ctx context.Context, cmd *cobra.Command, args []string, _ string) ([]candidate, error) {
		s, err := c.shape(ctx)
		if err != nil {
			return nil, err
		}
		found, err := canary.Find(s, canary.Options{VersionLabel: typedFlag(cmd, "version-label")}, args)
		var names []string
		for _, r := range found {
			for _, v := range r.Versions() {
				if v.Name != typedFlag(cmd, other) {
					names = append(names, v.Name)
				}
			}
		}
		slices.SortFunc(names, canary.CompareVersions)
		return candidates(slices.Compact(names)), err
	}
}

// versionLabels offers the labels that could tell the versions of a release apart.
func (c *connection) versionLabels(ctx context.Context, _ *cobra.Command, args []string, _ string) ([]candidate, error) {
	s, err := c.shape(ctx)
	if err != nil {
		return nil, err
	}
	found, err := canary.Find(s, canary.Options{}, args)
	var labels []string
	for _, r := range found {
		labels = append(labels, r.TellingLabels()...)
	}
	slices.Sort(labels)
	return candidates(slices.Compact(labels)), err
}

func (c *connection) namespaceNames(ctx context.Context, _ *cobra.Command, _ []string, _ string) ([]candidate, error) {
	var names []string
	client, err := c.client(io.Discard)
	if err == nil {
		names, err = client.Namespaces(ctx)
	}
	return candidates(names), err
}

// entries offers what a kubeconfig has of a kind; the cluster is not asked.
func entries[T any](c *connection, kind func(clientcmdapi.Config) map[string]T) asker {
	return func(context.Context, *cobra.Command, []string, string) ([]candidate, error) {
		raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
		return candidates(slices.Sorted(maps.Keys(kind(raw)))), err
	}
}

// typedFlag is the value of a flag that the command may not have.
func typedFlag(cmd *cobra.Command, flag string) string {
	value, _ := cmd.Flags().GetString(flag)
	return value
}
