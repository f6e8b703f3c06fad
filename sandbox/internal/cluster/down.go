package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Down ends what Up has started, and removes the cluster's folder. It does nothing when there is no cluster.
func (c *Cluster) Down() error {
	unlock, err := c.lockExisting()
	if errors.Is(err, fs.ErrNotExist) {
		c.progressf("no cluster %q: nothing to do", c.Name)
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.clear(); err != nil {
		return err
	}
	if err := os.Remove(c.Dir); err != nil {
		return err
	}
	c.progressf("cluster %q is gone", c.Name)
	return nil
}

// clear stops the recorded processes and empties the folder, which it keeps: the lock is on it.
func (c *Cluster) clear() error {
	s, err := c.load()
	switch {
	case errors.Is(err, errNoCluster):
		if left, err := os.ReadDir(c.Dir); err == nil && len(left) == 0 {
			return nil
		}
		return fmt.Errorf("%s is no sandbox cluster: it is left as it is", c.Dir)
	case err != nil:
		return err
	}
	if s.RealNode {
		if err := c.clearNode(s); err != nil {
			return err
		}
	}
	// the store last: the others would only complain about its absence
	for _, group := range [][]*recorded{s.Components[min(1, len(s.Components)):], s.Components} {
		var ps []process
		for _, r := range group {
			ps = append(ps, r.Process)
		}
		if err := stop(grace, ps...); err != nil {
			return err
		}
	}
	left, err := os.ReadDir(c.Dir) // not before: a component that has only just started makes folders until it ends
	if err != nil {
		return err
	}
	for _, entry := range left {
		if entry.Name() == "state.json" {
			continue // until the end: a clear that is cut short can be run again
		}
		if err := os.RemoveAll(c.path(entry.Name())); err != nil {
			return err
		}
	}
	return os.Remove(c.path("state.json"))
}
