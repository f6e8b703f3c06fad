package cluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Restart ends a component, or finds it dead, and starts it as before: on the same port, with the same data.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	unlock, err := c.lockRunning()
	if err != nil {
		return err
	}
	defer unlock()
	s, err := c.running()
	if err != nil {
		return err
	}
	r, err := s.component(name)
	if err != nil {
		return err
	}
	client, err := c.client(s)
	if err != nil {
		return err
	}
	if err := stop(grace, r.Process); err != nil {
		return err
	}
	if r.Name == Kwok {
		// its successor would wait until its claim on the nodes runs out
		_ = client.CoordinationV1().Leases(corev1.NamespaceNodeLease).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	}
	if err := c.launch(s, r); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	started := time.Now()
	only := &state{Components: []*recorded{r}}
	err = c.await(ctx, only, "the API", func(ctx context.Context) error {
		// what ends soon after its start has not started
		if time.Since(started) < time.Second {
			return fmt.Errorf("%s has just been started", r.Name)
		}
		return client.ready(ctx)
	})
	if err == nil {
		c.progressf("%s restarted (%.1fs)", r.Name, time.Since(started).Seconds())
	}
	return err
}

func (c *Cluster) lockRunning() (unlock func(), err error) {
	unlock, err = c.lockExisting()
	if err != nil {
		return nil, c.noCluster()
	}
	return unlock, nil
}
