package test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/test/messenger"
)

// creators is how many objects are created at once: more does not make the API server faster.
const creators = 16

// fleet makes a namespace with n services as in manifests/messenger, each of three pods of v1 and one of v2, and returns
// when all of them are ready endpoints. A pod is ready so long after its start.
func fleet(ctx context.Context, namespace string, n int, readyAfter time.Duration) error {
	if err := messenger.CreateNamespace(ctx, cluster.client, namespace); err != nil {
		return err
	}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range n {
		group.Go(func() error { return createRelease(each, namespace, serviceName(i), readyAfter) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return fleetReady(ctx, namespace)
}

func serviceName(i int) string { return fmt.Sprintf("service-%04d", i) }

func createRelease(ctx context.Context, namespace, name string, readyAfter time.Duration) error {
	return messenger.Deploy(ctx, cluster.client, namespace, root, messenger.Options{
		Services: []string{name}, Annotations: map[string]map[string]string{"": {"ready-after": readyAfter.String()}},
	})
}

// fleetReady waits five times as long as it asks: asking takes the API server's time from what it waits for.
func fleetReady(ctx context.Context, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		began := time.Now()
		err := messenger.Ready(ctx, cluster.client, namespace)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Since(began)):
		}
	}
}

// atRest is the share of the processors that may be in use when a measurement begins.
const atRest = 0.1

// rest returns when the machine has come to rest, or patience is at its end. It notes how busy the machine was then.
func (b *bench) rest(ctx context.Context, patience time.Duration) error {
	for deadline := time.Now().Add(patience); ; {
		before, err := processorTime()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		after, err := processorTime()
		if err != nil {
			return err
		}
		busy := 1 - (after.idle-before.idle)/(after.all-before.all)
		if busy < atRest || time.Now().After(deadline) {
			b.busiest = max(b.busiest, busy)
			return nil
		}
	}
}

type ticks struct{ idle, all float64 }

// processorTime reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
func processorTime() (t ticks, err error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t, fmt.Errorf("the benchmark needs Linux: %w", err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	var v [8]float64
	_, err = fmt.Sscanf(string(line), "cpu %f %f %f %f %f %f %f %f", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7])
	for _, n := range v {
		t.all += n
	}
	t.idle = v[3] + v[4]
	return t, err
}
