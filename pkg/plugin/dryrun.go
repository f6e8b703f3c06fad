package plugin

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// showPlans is --dry-run=client: what would be done, from what was read.
func (r *run) showPlans(all []planned) error {
	if r.output.machine() {
		return r.output.print(r.streams.Out, plannedStatuses(all), r.command)
	}
	r.announce(all)
	for i := range all {
		p := &all[i]
		if err := printer.Plan(r.streams.Out, style(r.streams.Out), &p.release, p.target, p.plan); err != nil {
			return err
		}
	}
	return nil
}

// askServer is --dry-run=server: one write for each Deployment, from present to final, which the server checks and does
// not keep.
func (r *run) askServer(ctx context.Context, all []planned) error {
	var (
		mu     sync.Mutex
		group  sync.WaitGroup
		failed []error
		lines  = map[string]bool{}
	)
	ask := func(v *canary.Version, to int) {
		if v.Deployment.Replicas == to {
			return
		}
		group.Go(func() {
			err := r.live.DryRun(ctx, v.Deployment, to)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			lines[v.Deployment.Name] = true
		})
	}
	for _, p := range all {
		if !p.keep || r.bake > 0 {
			ask(p.release.Stable, p.target.Split.Stable)
		}
		ask(p.release.Canary, p.target.Split.Canary)
	}
	group.Wait()
	if len(failed) > 0 {
		for _, err := range failed {
			fmt.Fprintln(r.streams.ErrOut, message(err))
			r.printNext(err)
		}
		return toldError{errors.Join(failed...)}
	}
	if r.output.machine() {
		return r.output.print(r.streams.Out, plannedStatuses(all), r.command)
	}
	r.announce(all)
	for _, p := range all {
		for _, v := range []*canary.Version{p.release.Stable, p.release.Canary} {
			if lines[v.Deployment.Name] {
				fmt.Fprintf(r.streams.Out, "deployment.apps/%s scaled (server dry run)\n", v.Deployment.Name)
			}
		}
	}
	return nil
}

func plannedStatuses(all []planned) []printer.Status {
	list := make([]printer.Status, len(all))
	for i, p := range all {
		list[i] = printer.Status{Release: p.release, Outcome: canary.Unchanged}
	}
	return list
}
