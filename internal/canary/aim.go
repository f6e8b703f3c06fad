package canary

import (
	"errors"
	"fmt"
	"slices"
)

// Ask is what the user wants of a release.
type Ask struct {
	Weight    Weight
	Rollback  bool   // weight 0 whatever state the release is in
	Previous  bool   // with Rollback: the split before the last change instead
	Now       bool   // with Rollback: no floor but the last ready endpoint
	Keep      bool   // with weight 100: stable's pods stay, all dark
	Surge     Amount // of the arithmetic, and of the move unless MoveSurge is set
	MoveSurge *Amount
	// Unavailable is how far ready endpoints may fall below the target's total during the move.
	Unavailable Amount
	Tolerance   Weight
	Exact       bool
	MaxTotal    int // with Exact; 0 is four baselines
	Replicas    int // the baseline; 0 finds it
	// Splits are where releases go, by name, as manifests have it, instead of to a weight.
	Splits map[string]Split
}

// Target is where a release is to go.
type Target struct {
	Split    Split
	Weight   Weight // asked for
	Reach    Weight // what the split gives
	Baseline int
	Notes    []string // what the user should know before the move
}

// Aim turns what is asked into replicas. It fails where the baseline cannot be told, or the weight not be reached.
func (r *Release) Aim(a Ask, leases bool) (Target, error) {
	if a.Previous {
		return r.previous()
	}
	if a.Splits != nil {
		return r.asWritten(a)
	}
	base, note, err := r.baseline(a, leases)
	if err != nil {
		return Target{}, err
	}
	t := Target{Weight: a.Weight, Baseline: base}
	if note != "" {
		t.Notes = append(t.Notes, note)
	}
	arith := Arithmetic{
		Baseline: base, Surge: a.Surge.Up(base), Others: r.OthersServing(),
		Tolerance: a.Tolerance, Exact: a.Exact, MaxTotal: a.MaxTotal,
	}
	if !leases && a.Replicas == 0 {
		// Nothing remembers the baseline: a split that keeps the total neither grows nor shrinks from shift to shift.
		arith.Surge = max(0, 2-base)
	}
	if t.Split, err = arith.Split(a.Weight); err != nil {
		return Target{}, err
	}
	t.Reach = arith.Reach(t.Split)
	if t.Reach != a.Weight {
		t.Notes = append(t.Notes, shortfall(arith, a.Weight, t))
	}
	return t, nil
}

// asWritten aims at the split that manifests have. It says no less of the baseline than one that is found.
func (r *Release) asWritten(a Ask) (Target, error) {
	split := a.Splits[r.Name]
	if split.Total() == 0 {
		return Target{}, errors.New("the manifests have both versions at 0 replicas")
	}
	base, _, _ := guess(split, a, true)
	w, _ := Share(split.Canary, split.Total()+r.OthersServing())
	return Target{Split: split, Weight: w, Reach: w, Baseline: base}, nil
}

// shortfall says what is reachable, and what exactness would cost.
func shortfall(arith Arithmetic, w Weight, t Target) string {
	s := fmt.Sprintf("%s%% asked, %s%% reachable with %d pods", w, t.Reach, t.Split.Total())
	if total, ok := arith.ExactTotal(w); ok {
		s += fmt.Sprintf("; %s%% needs %d pods (--exact", w, total)
		if total > 4*arith.Baseline {
			s += fmt.Sprintf(" --max-total %d", total)
		}
		s += ")"
	}
	return s
}

// previous aims at the split before the last change that has moved anything.
func (r *Release) previous() (Target, error) {
	if r.Record != nil {
		if set := r.Record.Set; r.Record.Move != nil && set != r.Replicas() && set.Total() > 0 {
			w, _ := Share(set.Canary, set.Total()+r.OthersServing())
			return Target{Split: set, Weight: w, Reach: w, Baseline: r.Record.Baseline}, nil
		}
		for _, c := range slices.Backward(r.Record.Changes) {
			if c.Before != c.After && c.Before.Total() > 0 {
				return Target{Split: c.Before, Weight: c.From, Reach: c.From, Baseline: r.Record.Baseline}, nil
			}
		}
	}
	return Target{}, errors.New("no earlier split is recorded: name the weight with `kubectl canary shift --to`")
}

// baseline returns the replicas that carry the full load (docs/design.md §4, §6), and what to say of it.
func (r *Release) baseline(a Ask, leases bool) (int, string, error) {
	now := r.Lit()
	larger := max(now.Stable, now.Canary)
	atRest := now.Stable == 0 || now.Canary == 0
	switch {
	case a.Replicas > 0:
		return a.Replicas, "", nil
	case now.Total() == 0:
		return 0, "", errors.New("both versions are at 0 replicas: say how many carry the full load with --replicas")
	case r.Record == nil:
		return guess(now, a, leases)
	case r.Drifted() && a.Rollback:
		return max(r.Record.Baseline, now.Stable), "", nil
	case r.Drifted() && r.Replicas().Stable > 0 && r.Replicas().Canary > 0:
		return 0, "", fmt.Errorf("replicas were %s: say how many carry the full load with --replicas, or roll back", r.drift())
	case atRest && !r.Record.AtRest():
		return max(larger, r.Record.Baseline), "", nil
	case atRest && larger != r.Record.Baseline:
		return larger, fmt.Sprintf("the baseline is %d now, no longer %d: the serving side was scaled since", larger, r.Record.Baseline), nil
	}
	return r.Record.Baseline, "", nil
}

// guess tells a baseline from a split, which no formula can do for certain: 3/1 comes from 3 and from 4.
func guess(now Split, a Ask, leases bool) (int, string, error) {
	larger, smaller := max(now.Stable, now.Canary), min(now.Stable, now.Canary)
	base := now.Total()
	if leases && smaller <= a.Surge.Up(larger) {
		base = larger
	}
	if smaller == 0 {
		return base, "", nil
	}
	return base, fmt.Sprintf("no baseline is recorded: %d is a guess from %s (--replicas sets it)", base, now), nil
}

// Bounds returns what holds while the release moves to the target.
func (r *Release) Bounds(a Ask, t Target) Bounds {
	surge := a.Surge
	if a.MoveSurge != nil {
		surge = *a.MoveSurge
	}
	b := NewBounds(r.Position(), r.Pods(), t.Split, surge.Up(t.Baseline), a.Unavailable.Down(t.Baseline))
	if a.Keep {
		b.Ceiling = max(b.Ceiling, r.Lit().Stable+t.Split.Total()) // beside what is dark already
	}
	if a.Now {
		b.Floor = min(b.Floor, 1)
	}
	return b
}

// Pods is the pods of both sides now, without terminating ones.
func (r *Release) Pods() int {
	if r.Stable == nil {
		return 0
	}
	return r.Stable.Deployment.Pods + r.Canary.Deployment.Pods
}
