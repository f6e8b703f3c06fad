package test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/test/markdown"
	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

// shiftOfFour tells how long a move takes beyond what its pods take to be ready.
func (b *bench) shiftOfFour(ctx context.Context) (string, error) {
	const n = 5
	shift := moveOnly(b.four, "shift", "--to", "50")
	var took, pods, beyond []float64
	for i := range n + 1 {
		if err := b.back(ctx, b.four); err != nil {
			return "", err
		}
		h, err := witness.Watch(cluster.client, b.four)
		if err != nil {
			return "", err
		}
		began := time.Now()
		u, err := b.run(ctx, shift, cluster.kubeconfig)
		if err != nil {
			h.End()
			return "", err
		}
		events, err := h.Sorted(ctx)
		h.End()
		if err != nil {
			return "", err
		}
		slowest := slowestPod(events, began)
		if slowest == 0 {
			return "", fmt.Errorf("%s: no pod became ready", strings.Join(shift, " "))
		}
		if i > 0 {
			took = append(took, u.Wall.Seconds())
			pods = append(pods, slowest.Seconds())
			beyond = append(beyond, (u.Wall - slowest).Seconds())
		}
	}
	if err := b.back(ctx, b.four); err != nil {
		return "", err
	}
	a, err := b.asks(ctx, 1, shift)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	t := markdown.NewTable(&out, "`kubectl-canary shift --to 50` of 4 services", "")
	t.Row("wall", markdown.Summary(took).In("s"))
	t.Row("of that, the slowest pod, from its creation to a ready endpoint", markdown.Summary(pods).In("s"))
	t.Row("beyond it", markdown.Summary(beyond).In("s"))
	t.Row("requests", strconv.Itoa(a.requests))
	return out.String(), nil
}

// slowestPod is the longest time from the creation of a pod, among those that came since, until it was a ready endpoint.
func slowestPod(events []witness.Event, since time.Time) (slowest time.Duration) {
	created, ready := map[types.UID]time.Time{}, map[types.UID]bool{}
	for _, e := range events {
		switch o := e.Object.(type) {
		case *corev1.Pod:
			if _, known := created[o.UID]; !known && e.Seen.After(since) {
				created[o.UID] = e.Seen
			}
		case *discoveryv1.EndpointSlice:
			for uid := range witness.ReadyPods(o) {
				if at, is := created[uid]; is && !ready[uid] {
					ready[uid] = true
					slowest = max(slowest, e.Seen.Sub(at))
				}
			}
		}
	}
	return slowest
}

// moveOnly is a command that moves, without the time in which it only watches what it has done.
func moveOnly(namespace string, words ...string) []string {
	return append(append([]string{"kubectl-canary"}, words...), "--settle", "0s", "-n", namespace)
}

// back takes all releases of a namespace to weight 0.
func (b *bench) back(ctx context.Context, namespace string) error {
	if _, err := b.run(ctx, moveOnly(namespace, "rollback"), cluster.kubeconfig); err != nil {
		return err
	}
	return b.moved(ctx, namespace)
}

// moved returns when the last move of a namespace is over, for the controllers too.
func (b *bench) moved(ctx context.Context, namespace string) error {
	if err := fleetReady(ctx, namespace); err != nil {
		return err
	}
	return b.rest(ctx, 5*time.Second)
}

// shiftOfMany compares a move of many services with what a script does: two calls of kubectl for each, without waiting.
func (b *bench) shiftOfMany(ctx context.Context) (string, error) {
	const n = 5
	var names []string
	for i := range b.toMove {
		names = append(names, serviceName(i))
	}
	scale := func(service string, stable, canary int) string {
		call := func(version string, replicas int) string {
			return fmt.Sprintf("kubectl scale deployment/%s-%s --replicas=%d -n %s", service, version, replicas, b.many)
		}
		return call("v2", canary) + "; " + call("v1", stable)
	}
	each := "set -e; for s in " + strings.Join(names, " ") + "; do " + scale("$s", 2, 2) + "; done"
	parallel := "printf '%s\\n' " + strings.Join(names, " ") + " | xargs -P 16 -I{} sh -c '" + scale("{}", 3, 0) + "'"
	over := func(ctx context.Context) error { return b.moved(ctx, b.many) }
	shift := &subject{
		label: "`kubectl-canary shift --to 50`, from 3/0 to 2/2", before: over,
		words: moveOnly(b.many, "shift", "--to", "50"),
	}
	loop := &subject{
		label: "`kubectl scale` in a loop, the same, waits for nothing", words: []string{"sh", "-c", each},
		before: func(ctx context.Context) error { return b.back(ctx, b.many) },
	}
	sixteen := &subject{label: "16 at once (`xargs -P 16`), from 2/2 to 3/0", words: []string{"sh", "-c", parallel}, before: over}
	subjects := []*subject{shift, loop, sixteen}
	if err := b.back(ctx, b.many); err != nil {
		return "", err
	}
	if err := b.sideBySide(ctx, 0, n, subjects...); err != nil {
		return "", err
	}
	if err := b.back(ctx, b.many); err != nil {
		return "", err
	}
	a, err := b.asks(ctx, 1, shift.words)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	t := markdown.NewTable(&out, strconv.Itoa(b.toMove)+" services", "wall", "CPU")
	for _, s := range subjects {
		t.Row(s.label, s.sample(wall).In("s"), s.sample(cpu).In("s"))
	}
	fmt.Fprintf(&out, "\n`shift` took %.2f × the wall time of the loop, and sent %d requests.\n",
		shift.sample(wall).Median/loop.sample(wall).Median, a.requests)
	return out.String(), nil
}
