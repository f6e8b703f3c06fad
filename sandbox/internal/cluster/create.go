package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// create starts everything, in the order in which each needs the other.
func (c *Cluster) create(ctx context.Context, o Options, auditPolicy []byte, programs realnode.Programs) error {
	begin := time.Now()
	p, err := findPorts()
	if err != nil {
		return err
	}
	s := &state{Nodes: o.Nodes, RealNode: o.RealNode, Metrics: o.Metrics, Server: local(p.apiServer)}
	if err := c.save(s); err != nil { // first of all: it is what makes the folder a cluster's
		return err
	}
	if err := os.MkdirAll(c.path("logs"), 0o700); err != nil {
		return err
	}
	if err := c.makeKeys(s.Server); err != nil {
		return err
	}
	if err := c.writeConfigs(p); err != nil {
		return err
	}
	commands := c.commands(p)
	if auditPolicy != nil {
		if err := os.WriteFile(c.path("audit-policy.yaml"), auditPolicy, 0o600); err != nil {
			return err
		}
		commands[APIServer] = append(commands[APIServer], "--audit-policy-file="+c.path("audit-policy.yaml"), "--audit-log-path="+c.path("logs", "audit.log"))
	}
	if !s.RealNode {
		commands[APIServer] = append(commands[APIServer], "--egress-selector-config-file="+c.path("egress.yaml"))
	}
	if s.RealNode {
		if err := c.furnish(s, programs, commands); err != nil {
			return err
		}
	}
	launch := func(names ...string) error {
		for _, name := range names {
			r := &recorded{Name: name, Program: program(programs, name), Args: commands[name]}
			s.Components = append(s.Components, r)
			if err := c.launch(s, r); err != nil {
				return err
			}
		}
		return nil
	}

	c.progressf("starting cluster %q", c.Name)
	if err := launch(Etcd, APIServer); err != nil {
		return err
	}
	if s.RealNode {
		if err := launch(Containerd); err != nil {
			return err
		}
		if err := c.await(ctx, s, "containerd", s.containerd); err != nil {
			return err
		}
		if err := c.loadPause(ctx, s, programs); err != nil {
			return err
		}
	}
	client, err := c.client(s)
	if err != nil {
		return err
	}
	if err := c.await(ctx, s, "the API", client.answers); err != nil {
		return err
	}
	c.progressf("the API answers (%.1fs)", time.Since(begin).Seconds())
	last := []string{ControllerManager, Scheduler}
	if s.RealNode {
		last = append(last, Kubelet, KubeProxy)
	} else {
		if err := c.await(ctx, s, "the nodes", func(ctx context.Context) error { return client.createNodes(ctx, s.Nodes, p.kubelet) }); err != nil {
			return err
		}
		if err := launch(Kwok); err != nil {
			return err
		}
	}
	if s.Metrics {
		last = append(last, MetricsServer)
	}
	// the others have no rights before the API server has made their roles: started earlier, they would back off
	if err := c.await(ctx, s, "the API", client.ready); err != nil {
		return err
	}
	c.progressf("the API is ready (%.1fs)", time.Since(begin).Seconds())
	if err := launch(last...); err != nil {
		return err
	}
	if err := c.await(ctx, s, "the nodes", func(ctx context.Context) error { return client.nodesReady(ctx, s.Nodes) }); err != nil {
		return err
	}
	c.progressf("the nodes are ready (%.1fs)", time.Since(begin).Seconds())
	if s.RealNode {
		if err := c.await(ctx, s, "kube-proxy", s.routed); err != nil {
			return err
		}
	}
	if s.Metrics {
		if err := c.registerMetrics(ctx, client, p.metrics); err != nil {
			return err
		}
		if err := c.await(ctx, s, "metrics-server", client.metricsServed); err != nil {
			return err
		}
	}
	if err := c.await(ctx, s, "the default service account", client.defaultServiceAccount); err != nil {
		return err
	}
	s.Ready = true
	c.progressf("cluster %q is ready (%.1fs)", c.Name, time.Since(begin).Seconds())
	return c.save(s)
}

// launch starts a component and records its process at once.
func (c *Cluster) launch(s *state, r *recorded) error {
	run := (*exec.Cmd).Start
	if s.RealNode {
		run = s.namespaces().Start
	}
	p, err := start(r, c.Dir, c.logFile(r.Name), run)
	if err != nil {
		return err
	}
	r.Process = p
	return c.save(s)
}

// await asks until ok, and gives up as soon as a component that was started is dead.
func (c *Cluster) await(ctx context.Context, s *state, what string, ok func(context.Context) error) error {
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		for _, r := range s.Components {
			if !r.Process.alive() {
				return c.deadError(r.Name)
			}
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("gave up waiting for %s: %w", what, err)
			}
			return fmt.Errorf("interrupted while waiting for %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
