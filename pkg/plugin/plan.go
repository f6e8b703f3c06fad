package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// planned is one release and what is to become of it.
type planned struct {
	release canary.Release
	target  canary.Target
	bounds  canary.Bounds
	plan    canary.Plan

	refusals []canary.Problem // why nothing may be written
	warnings []canary.Problem // what speaks against it and does not count
	err      error
}

// plan works out every release's move, and what speaks against it.
func (o *moveOptions) plan(s *canary.Snapshot, leases bool) ([]planned, error) {
	found, err := o.choose.find(s, false)
	if err != nil {
		return nil, err
	}
	all := make([]planned, len(found))
	for i := range found {
		all[i] = o.planOne(found[i], s, leases)
	}
	return all, nil
}

func (o *moveOptions) planOne(r canary.Release, s *canary.Snapshot, leases bool) planned {
	p := planned{release: r}
	named := o.choose.options.Stable != "" && o.choose.options.Canary != ""
	for _, problem := range canary.Preflight(&r, s, named) {
		if canary.Forceable(problem.Code) && (o.force || o.ask.Rollback) {
			p.warnings = append(p.warnings, problem)
		} else {
			p.refusals = append(p.refusals, problem)
		}
	}
	if len(p.refusals) > 0 {
		return p
	}
	if p.target, p.err = r.Aim(o.ask, leases); p.err != nil {
		return p
	}
	p.bounds = r.Bounds(o.ask, p.target)
	p.plan, p.err = canary.NewPlan(r.Position(), p.target.Split, p.bounds)
	return p
}

// idle says that there is nothing to write, to wait for, or to set right in the record.
func (p *planned) idle() bool {
	return p.release.Position().Done(p.target.Split) && (p.release.Record == nil || p.release.Record.Move == nil)
}

// writes says whether the move writes anything, or has a record to set right.
func (p *planned) writes() bool {
	return len(p.plan.Rounds) > 0 || p.release.Record != nil && p.release.Record.Move != nil
}

// locked refuses a release that another operator is moving. A rollback goes on.
func (o *moveOptions) locked(p *planned, r *run) error {
	if lease := p.release.Lease; lease.Held() && !o.ask.Rollback {
		return lease.LockedBy(p.release.Name, r.client.Now())
	}
	return nil
}

// refuse returns an error where anything speaks against any of the moves: then none begins.
func (o *moveOptions) refuse(ctx context.Context, all []planned, r *run) error {
	var refused refusalError
	add := func(release string, err error) {
		refused.lines = append(refused.lines, release+": "+err.Error())
		refused.errs = append(refused.errs, err)
	}
	for i := range all {
		p := &all[i]
		for _, problem := range p.refusals {
			text := problem.Message
			if canary.Forceable(problem.Code) {
				text += "; --force goes on all the same"
			}
			add(p.release.Name, errors.New(text))
		}
		if p.err != nil {
			add(p.release.Name, p.err)
		}
		if err := o.locked(p, r); err != nil {
			add(p.release.Name, err)
		}
	}
	if len(refused.lines) > 0 {
		return refused
	}
	if r.mayScale || r.client == nil {
		return nil
	}
	for i := range all {
		for _, v := range []*canary.Version{all[i].release.Stable, all[i].release.Canary} {
			if !r.client.MayScale(ctx, r.namespace, v.Deployment.Name) {
				return fmt.Errorf("you may not scale deployment %q in namespace %q (patch deployments/scale): nothing was written", v.Deployment.Name, r.namespace)
			}
		}
	}
	return nil
}

// refusalError is why moves were refused before anything was written.
type refusalError struct {
	lines []string
	errs  []error
}

func (e refusalError) Error() string {
	lines := slices.Compact(e.lines)
	if len(lines) == 1 {
		return lines[0]
	}
	return "nothing was written, because:\n  " + strings.Join(lines, "\n  ")
}

func (e refusalError) Unwrap() []error { return e.errs }
