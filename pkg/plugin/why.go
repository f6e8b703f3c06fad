package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// look reads the state of the pods where something is wrong, and for the wide table also what has happened to them.
func (o *statusOptions) look(ctx context.Context, client *cluster.Client, live *cluster.Live, found []seen) ([]printer.Status, error) {
	sick := unhealthy(found)
	if len(sick) == 0 {
		return o.judge(found, client.Now()), nil
	}
	group, reads := errgroup.WithContext(ctx)
	group.Go(func() error { return live.ReadPods(reads, sick) })
	if o.output.wide() {
		group.Go(func() error { return live.ReadReplicaSets(reads, sick) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found, err := o.find(live)
	if err != nil {
		return nil, err
	}
	statuses := o.judge(found, client.Now())
	if !o.output.wide() {
		return statuses, nil
	}
	if err := live.ReadEvents(ctx, chained(statuses)); err != nil {
		return nil, err
	}
	if found, err = o.find(live); err != nil {
		return nil, err
	}
	return o.judge(found, client.Now()), nil
}

// chained are the objects, by namespace, that lead to what is wrong.
func chained(all []printer.Status) map[string][]string {
	objects := map[string][]string{}
	for _, s := range all {
		for _, p := range s.Problems {
			for _, l := range p.Chain {
				if l.Object != "" {
					objects[s.Release.Namespace] = append(objects[s.Release.Namespace], l.Object)
				}
			}
		}
	}
	return objects
}

// stuckPod is the pod, as Kind/name, that has kept a release from coming up; empty where it is not a pod, or where its state
// says all there is to say.
func stuckPod(err error) string {
	var stuck *mover.StuckError
	if !errors.As(err, &stuck) || stuck.Problem == nil || !strings.HasPrefix(stuck.Problem.Object, "Pod/") {
		return ""
	}
	if stuck.Definite && stuck.Problem.Code != canary.CodeCrashLoop {
		return ""
	}
	return stuck.Problem.Object
}

// learn reads what has happened to the pods that were waited for in vain. What cannot be read is left out.
func (r *run) learn(ctx context.Context, endings []ending) {
	var pods []string
	for _, e := range endings {
		if pod := stuckPod(e.err); pod != "" && !slices.Contains(pods, pod) {
			pods = append(pods, pod)
		}
	}
	if len(pods) > 0 && r.live.ReadEvents(ctx, map[string][]string{r.namespace: pods}) == nil {
		r.happened = r.live.Snapshots()[0].Happenings
	}
}

// printHappened prints what has happened to the pod that is the cause.
func (r *run) printHappened(e ending) {
	pod := stuckPod(e.err)
	if pod == "" {
		return
	}
	for _, h := range canary.Telling(r.happened, pod, e.err.Error()) {
		fmt.Fprintf(r.streams.ErrOut, "  %s\n", printer.Happening(h, r.client.Now()))
	}
}
