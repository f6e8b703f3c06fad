package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

const startTimeout = 2 * time.Minute

// Options are what a new cluster shall have.
type Options struct {
	Nodes       int    // simulated ones
	RealNode    bool   // one real node instead
	Metrics     bool   // metrics-server too; needs a real node
	AuditPolicy string // a file, or empty for no audit log
}

// Up starts the cluster, unless it runs, and returns when it takes work: the API answers, the nodes are Ready, pods can be created.
// When it fails or ctx ends, it leaves nothing behind.
func (c *Cluster) Up(ctx context.Context, o Options) error {
	if o.Nodes < 1 {
		return fmt.Errorf("--nodes %d: want at least 1", o.Nodes)
	}
	if o.Metrics && !o.RealNode {
		return errors.New("--metrics needs --real-node: simulated pods use nothing")
	}
	var programs realnode.Programs
	var policy []byte
	var err error
	if o.RealNode {
		if programs, err = realnode.Find(); err != nil {
			return err
		}
	}
	if o.AuditPolicy != "" {
		if policy, err = os.ReadFile(o.AuditPolicy); err != nil {
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
	case s.RealNode != o.RealNode:
		return fmt.Errorf("cluster %q runs, and its nodes are of the other kind: `%s` first", c.Name, c.again("down"))
	case o.Metrics && !s.Metrics:
		return fmt.Errorf("cluster %q runs without metrics-server: `%s` first", c.Name, c.again("down"))
	default:
		if s.Nodes != o.Nodes {
			c.progressf("cluster %q runs, with %d node(s)", c.Name, s.Nodes)
		}
		if policy != nil {
			c.progressf("cluster %q runs: the audit policy is what it was started with", c.Name)
		}
		return c.check(ctx, s)
	}

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = c.create(ctx, o, policy, programs)
	if d := (&deadError{}); errors.As(err, &d) && d.portTaken {
		c.progressf("another program has taken a port: trying others")
		if err := c.clear(); err != nil {
			return err
		}
		err = c.create(ctx, o, policy, programs)
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
			c.Name, strings.Join(dead, ", "), logs.String(), next, c.again("down"), c.again(s.upAgain()))
	}
	client, err := c.client(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.await(ctx, s, "the API", client.ready); err != nil {
		return fmt.Errorf("cluster %q is broken: %w\nrun `%s` and `%s`", c.Name, err, c.again("down"), c.again(s.upAgain()))
	}
	return nil
}
