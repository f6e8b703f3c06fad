package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"k8s.io/component-base/version"
)

// Status writes what the cluster is made of, and fails when a part of it does not work.
func (c *Cluster) Status(ctx context.Context, w io.Writer) error {
	s, err := c.running()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(tw, "CLUSTER\t%s, Kubernetes %s\n", c.Name, version.Get().GitVersion)
	server, nodes, apiErr := c.answering(ctx, s)
	fmt.Fprintf(tw, "SERVER\t%s\n", server)
	fmt.Fprintf(tw, "NODES\t%s\n", nodes)
	fmt.Fprintf(tw, "KUBECONFIG\t%s\n", c.KubeconfigPath())
	tw.Flush()

	fmt.Fprintln(w)
	tw = tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(tw, "COMPONENT\tPID\tSTATE\tMEMORY\tLOG")
	for _, r := range s.Components {
		state, used := "running", fmt.Sprintf("%d MB", memory(r.Process.PID)>>20)
		if !r.Process.alive() {
			state, used = "dead", "-"
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\n", r.Name, r.Process.PID, state, used, c.logFile(r.Name))
	}
	tw.Flush()

	switch {
	case !s.Ready:
		return fmt.Errorf("cluster %q has not finished starting: `%s`", c.Name, c.again(s.upAgain()))
	case len(s.dead()) > 0:
		return c.check(ctx, s)
	}
	return apiErr
}

// answering asks the API server about itself and the nodes.
func (c *Cluster) answering(ctx context.Context, s *state) (server, nodes string, err error) {
	client, err := c.client(s)
	if err == nil {
		err = client.ready(ctx)
	}
	if err != nil {
		return s.Server + ", not ready", "unknown", errors.Join(fmt.Errorf("cluster %q does not answer", c.Name), err)
	}
	ready, err := client.countReady(ctx)
	if err == nil && ready < s.Nodes {
		err = fmt.Errorf("cluster %q: %d of %d nodes ready", c.Name, ready, s.Nodes)
	}
	return s.Server + ", ready", fmt.Sprintf("%d of %d ready", ready, s.Nodes), err
}
