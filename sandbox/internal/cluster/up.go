package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const startTimeout = 2 * time.Minute

// Up starts the cluster, unless it runs, and returns when it takes work: the API answers, the nodes are Ready, pods can be created.
// When it fails or ctx ends, it leaves nothing behind. auditPolicy is a file, or empty for no audit log.
func (c *Cluster) Up(ctx context.Context, nodes int, auditPolicy string) error {
	if nodes < 1 {
		return fmt.Errorf("--nodes %d: want at least 1", nodes)
	}
	var policy []byte
	if auditPolicy != "" {
		var err error
		if policy, err = os.ReadFile(auditPolicy); err != nil {
			return err
		}
	}
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()

	s, err := c.load()
	switch {
	case errors.Is(err, errNoCluster):
		if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 {
			return fmt.Errorf("%s is no sandbox cluster, and not empty: give another --dir or --name", c.Dir)
		}
	case err != nil:
		return err
	case !s.Ready:
		c.progressf("an earlier start of cluster %q did not end: starting anew", c.Name)
		if err := c.clear(); err != nil {
			return err
		}
	default:
		if s.Nodes != nodes {
			c.progressf("cluster %q runs, with %d node(s)", c.Name, s.Nodes)
		}
		if policy != nil {
			c.progressf("cluster %q runs: the audit policy is what it was started with", c.Name)
		}
		return c.check(ctx, s)
	}

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = c.create(ctx, nodes, policy)
	if d := (&deadError{}); errors.As(err, &d) && d.portTaken {
		c.progressf("another program has taken a port: trying others")
		if err := c.clear(); err != nil {
			return err
		}
		err = c.create(ctx, nodes, policy)
	}
	if err != nil {
		return errors.Join(err, c.clear(), os.Remove(c.Dir))
	}
	return nil
}

// check says whether a cluster that was ready still is.
func (c *Cluster) check(ctx context.Context, s *state) error {
	if dead := s.dead(); len(dead) > 0 {
		var logs strings.Builder
		for _, name := range dead {
			fmt.Fprintf(&logs, "%v\n", c.deadError(name))
		}
		next := "`" + c.again("restart "+dead[0]) + "`, or "
		if len(dead) > 1 {
			next = ""
		}
		return fmt.Errorf("cluster %q is broken: not running: %s\n%srun %s`%s` and `%s`",
			c.Name, strings.Join(dead, ", "), logs.String(), next, c.again("down"), c.again("up"))
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.await(ctx, s, "the API", client.ready); err != nil {
		return fmt.Errorf("cluster %q is broken: %w\nrun `%s` and `%s`", c.Name, err, c.again("down"), c.again("up"))
	}
	return nil
}

// create starts everything, in the order in which each needs the other.
func (c *Cluster) create(ctx context.Context, nodes int, auditPolicy []byte) error {
	begin := time.Now()
	p, err := findPorts()
	if err != nil {
		return err
	}
	s := &state{Nodes: nodes, Server: local(p.apiServer)}
	if err := c.save(s); err != nil { // first of all: it is what makes the folder a cluster's
		return err
	}
	if err := os.MkdirAll(c.path("logs"), 0o700); err != nil {
		return err
	}
	if err := c.makeKeys(s.Server); err != nil {
		return err
	}
	if err := c.writeConfigs(); err != nil {
		return err
	}
	commands := c.commands(p)
	if auditPolicy != nil {
		if err := os.WriteFile(c.path("audit-policy.yaml"), auditPolicy, 0o600); err != nil {
			return err
		}
		commands[APIServer] = append(commands[APIServer], "--audit-policy-file="+c.path("audit-policy.yaml"), "--audit-log-path="+c.path("logs", "audit.log"))
	}
	launch := func(names ...string) error {
		for _, name := range names {
			r := &recorded{Name: name, Args: commands[name]}
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
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := c.await(ctx, s, "the API", client.answers); err != nil {
		return err
	}
	c.progressf("the API answers (%.1fs)", time.Since(begin).Seconds())
	if err := c.await(ctx, s, "the nodes", func(ctx context.Context) error { return client.createNodes(ctx, nodes, p.kubelet) }); err != nil {
		return err
	}
	if err := launch(Kwok); err != nil {
		return err
	}
	// the other two have no rights before the API server has made their roles: started earlier, they would back off
	if err := c.await(ctx, s, "the API", client.ready); err != nil {
		return err
	}
	c.progressf("the API is ready (%.1fs)", time.Since(begin).Seconds())
	if err := launch(ControllerManager, Scheduler); err != nil {
		return err
	}
	if err := c.await(ctx, s, "the nodes", func(ctx context.Context) error { return client.nodesReady(ctx, nodes) }); err != nil {
		return err
	}
	c.progressf("the nodes are ready (%.1fs)", time.Since(begin).Seconds())
	if err := c.await(ctx, s, "the default service account", client.defaultServiceAccount); err != nil {
		return err
	}
	s.Ready = true
	c.progressf("cluster %q is ready (%.1fs)", c.Name, time.Since(begin).Seconds())
	return c.save(s)
}

// launch starts a component and records its process at once.
func (c *Cluster) launch(s *state, r *recorded) error {
	p, err := start(r.Name, r.Args, c.Dir, c.logFile(r.Name))
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
