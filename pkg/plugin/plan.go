package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// planned is one release and what is to become of it.
type planned struct {
	release canary.Release
	target  canary.Target
	bounds  canary.Bounds
	plan    canary.Plan
	keep    bool
	drifted bool // the record is to be set right, too

	refusals []canary.Problem // why nothing may be written
	warnings []canary.Problem // what speaks against it and does not count
	err      error
}

// plan works out every release's move, and what speaks against it.
func (r *run) plan(s *canary.Snapshot) ([]planned, error) {
	found, err := r.choose.find(s, false)
	if err != nil {
		return nil, err
	}
	all := make([]planned, len(found))
	for i := range found {
		if record := r.held.recorded(found[i].Name); record != nil {
			found[i].Lease, found[i].Record = canary.Lease{Record: record}, record
		}
		all[i] = r.planOne(found[i], s)
	}
	return all, nil
}

func (r *run) planOne(release canary.Release, s *canary.Snapshot) planned {
	p := planned{release: release, keep: r.ask.Keep, drifted: r.ask.Splits != nil && release.Drifted()}
	named := r.choose.options.Stable != "" && r.choose.options.Canary != ""
	problems := canary.Preflight(&release, s, named)
	if r.ask.Keep && release.Drain == "" {
		problems = append(problems, canary.NoDrain(&release))
	}
	if slices.ContainsFunc(problems, func(problem canary.Problem) bool { return !canary.Forceable(problem.Code) }) {
		r.object(&p, problems)
		return p
	}
	if p.target, p.err = release.Aim(r.ask, r.leases); p.err == nil {
		if r.migration != nil && !r.ask.Rollback {
			p.target = release.Onward(p.target)
		}
		p.bounds = release.Bounds(r.ask, p.target)
		p.plan, p.err = canary.NewPlan(p.position(), p.target.Split, p.bounds)
		p.plan.Keep, p.plan.Bake = p.keep, r.bake
		problems = canary.PreflightTo(&release, s, named, p.target.Split)
	}
	r.object(&p, problems)
	return p
}

// object lets problems stand against the move, or only be told of.
func (r *run) object(p *planned, problems []canary.Problem) {
	for _, problem := range problems {
		if problem.Severity != canary.Error || canary.Forceable(problem.Code) && (r.force || r.ask.Rollback) {
			p.warnings = append(p.warnings, problem)
		} else {
			p.refusals = append(p.refusals, problem)
		}
	}
}

// headroom looks for room for the pods of all the moves together.
func (r *run) headroom(s *canary.Snapshot, all []planned) {
	var moves []canary.Moving
	var of []*planned
	for i := range all {
		if p := &all[i]; p.plan.Target.Total() > 0 {
			moves = append(moves, canary.Moving{Release: &p.release, Plan: p.plan})
			of = append(of, p)
		}
	}
	for i, problems := range canary.Headroom(s, moves, !r.ask.Rollback) {
		r.object(of[i], problems)
	}
}

// position is where the release stands, as its move sees it.
func (p *planned) position() canary.Position {
	if p.keep {
		return p.release.LitPosition()
	}
	return p.release.Position()
}

// unfinished says that the record holds a move whose operator was cut off, or a migration, which a move ends.
func (p *planned) unfinished() bool {
	return p.release.Record != nil && (p.release.Record.Move != nil || p.release.Record.Migration != nil)
}

// pending says that there is more to do than the replicas tell: pods to put back into the Service, or that are about to
// leave it, pods to keep for a while, or a record to set right.
func (p *planned) pending() bool {
	r := &p.release
	return p.unfinished() || p.drifted || p.plan.Bake > 0 && r.Kept() || r.Relights(p.target.Split) > 0 || r.Stable.Leaving+r.Canary.Leaving > 0
}

// idle says that there is nothing to write, to wait for, or to set right in the record.
func (p *planned) idle() bool { return p.position().Done(p.target.Split) && !p.pending() }

// writes says whether the move writes anything, or has a record to set right.
func (p *planned) writes() bool { return len(p.plan.Rounds) > 0 || p.pending() }

// against lists what speaks against the move: another operator's lock, which a rollback takes over, or else the
// release's shape and what cannot be worked out.
func (r *run) against(p *planned) []error {
	if lease := p.release.Lease; lease.Held() && !r.ask.Rollback {
		return []error{lease.LockedBy(p.release.Name, r.client.Now())}
	}
	var errs []error
	for _, problem := range p.refusals {
		refusal := refusal{text: problem.Message}
		if canary.Forceable(problem.Code) && r.ask.Splits == nil {
			refusal.text += "; --force goes on all the same"
		}
		for _, next := range problem.Next {
			refusal.next = append(refusal.next, r.command(next, r.namespace))
		}
		errs = append(errs, refusal)
	}
	if p.err != nil {
		errs = append(errs, p.err)
	}
	return errs
}

// refuse returns an error where anything speaks against any of the moves: then none begins.
func (r *run) refuse(ctx context.Context, all []planned) error {
	var refused refusalError
	for i := range all {
		for _, err := range r.against(&all[i]) {
			refused.reasons.add(all[i].release.Name, err.Error())
			refused.errs = append(refused.errs, err)
		}
	}
	if len(refused.errs) > 0 {
		return refused
	}
	if r.mayScale {
		return nil
	}
	for i := range all {
		for _, v := range []*canary.Version{all[i].release.Stable, all[i].release.Canary} {
			if r.client.MayScale(ctx, r.namespace, v.Deployment.Name) {
				continue
			}
			text := fmt.Sprintf("you may not scale deployment %q in namespace %q (patch deployments/scale)", v.Deployment.Name, r.namespace)
			if r.dryRun == "client" {
				r.warn(text)
				return nil
			}
			return errors.New(text + ": nothing was written")
		}
	}
	return nil
}
