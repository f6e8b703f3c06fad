package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

const (
	// still is how long endpoints must have been unchanged before a side is lowered (docs/design.md §5).
	still = 2 * time.Second
	// takeOverPause lets the writes of an operator whose lock was taken over come to their end.
	takeOverPause = 2 * time.Second
	// controllerLag is how long the Deployment controller may take to look at a change.
	controllerLag = 2 * time.Second
)

// run is one move of one or more releases, from the first read to the last word.
type run struct {
	*moveOptions

	client    *cluster.Client
	live      *cluster.Live
	namespace string
	user      string
	mayScale  bool
	mayDrain  bool               // as far as is known; asked only where there is a label to drain by
	leases    bool               // Leases can be read and, as far as is known, written
	happened  []canary.Happening // to the pods that were waited for in vain
}

func (o *moveOptions) run(ctx context.Context) error {
	r := &run{moveOptions: o}
	if err := r.read(ctx); err != nil {
		return err
	}
	all, err := r.plan(r.live.Snapshot())
	if err == nil && slices.ContainsFunc(all, lags) {
		r.catchUp(ctx)
		all, err = r.plan(r.live.Snapshot())
	}
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("no release found in namespace %q: a release is a Service with Deployments that differ in their version label", r.namespace)
	}
	r.headroom(r.live.Snapshot(), all)
	if err := r.refuse(ctx, all); err != nil {
		return r.refused(all, err)
	}
	if err := r.askDrain(ctx, all); err != nil {
		return r.refused(all, err)
	}
	switch o.dryRun {
	case "client":
		return r.showPlans(all)
	case "server":
		return r.askServer(ctx, all)
	}
	r.announce(all)
	if !slices.ContainsFunc(all, func(p planned) bool { return !p.idle() }) {
		return r.conclude(ctx, all, nil, nil, &locks{})
	}
	return r.move(ctx, all)
}

// read asks for everything at once: the namespace, who the user is, and what they may do.
func (r *run) read(ctx context.Context) (err error) {
	if r.namespace = r.in; r.namespace == "" {
		if r.namespace, err = r.conn.namespace(); err != nil {
			return err
		}
	}
	if r.client, err = r.conn.client(r.streams.ErrOut); err != nil {
		return err
	}
	r.client.Persist(r.timeout)
	group, reads := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.live, err = r.conn.read(reads, r.client, r.namespace, cluster.Want{WholePods: true, Autoscalers: true, Limits: true})
		return err
	})
	group.Go(func() error { r.user = r.client.WhoAmI(reads); return nil })
	group.Go(func() error { r.mayScale = r.client.MayScale(reads, r.namespace, ""); return nil })
	if err := group.Wait(); err != nil {
		return err
	}
	r.leases = !r.live.Snapshot().LeasesHidden
	return nil
}

func lags(p planned) bool {
	return p.release.Stable != nil && (p.release.Stable.Deployment.Lags() || p.release.Canary.Deployment.Lags())
}

// catchUp gives the Deployment controller a moment to look at what was changed just now: until then it cannot be told
// from a roll-out.
func (r *run) catchUp(ctx context.Context) {
	wait, cancel := context.WithTimeout(ctx, controllerLag)
	defer cancel()
	r.live.Follow(wait, false)
	// Whatever ends the wait, what is known then decides.
	_ = r.live.Observe(wait, func(s *canary.Snapshot) (bool, error) {
		return !slices.ContainsFunc(s.Deployments, func(d canary.Deployment) bool { return d.Lags() }), nil
	})
	_ = r.live.ReadLimits(ctx) // what pods there are has changed, and with it what is left for others
}

// move locks what it has to write to, plans again from what it then reads, and moves.
func (r *run) move(ctx context.Context, all []planned) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	held, err := r.lock(ctx, all)
	if err != nil {
		return r.refused(all, err)
	}
	r.live.Follow(ctx, false)
	snapshot, err := r.live.Refresh(ctx)
	if err == nil {
		err = r.replan(snapshot, all)
	}
	if err != nil {
		held.giveBack(ctx)
		return r.refused(all, err)
	}
	var moves []mover.Move
	for _, p := range all {
		if p.idle() {
			continue
		}
		m := mover.Move{Release: p.release, Target: p.target.Split, Bounds: p.bounds, Keep: p.keep}
		if lock := held.locks[p.release.Name]; lock != nil {
			m.Lock = lock
			lock.Keep(ctx, func(err error) { cancel(err) })
		}
		moves = append(moves, m)
	}
	notify, stop := r.watch(moves)
	results := mover.Run(ctx, r.live, snapshot, moves, mover.Options{
		Discover: r.choose.options, Timeout: r.timeout, Still: r.still(),
		Drain: r.drain, Settle: r.settle, MayDrain: r.mayDrain, Now: r.ask.Now, Bake: r.bake,
		Restore: r.onFailure == "restore", Rollback: r.ask.Rollback, Notify: notify,
	})
	stop()
	return r.conclude(ctx, all, moves, results, held)
}

// replan plans the same releases again under the locks. What speaks against a move by now is an error.
func (r *run) replan(s *canary.Snapshot, all []planned) error {
	r.choose.options.Roles = map[string]canary.Roles{}
	for _, p := range all {
		r.choose.options.Roles[p.release.Name] = canary.Roles{Stable: p.release.Stable.Name, Canary: p.release.Canary.Name}
	}
	again, err := r.plan(s)
	if err != nil {
		return err
	}
	if len(again) != len(all) {
		return errors.New("the releases have changed meanwhile: run the command again")
	}
	copy(all, again)
	for i := range all {
		if p := &all[i]; p.err != nil || len(p.refusals) > 0 {
			return fmt.Errorf("%s: %w", p.release.Name, r.against(p)[0])
		}
	}
	return nil
}

// holder names this process in a lock.
func (r *run) holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return r.user + "@" + host + "/" + strings.ToLower(rand.Text()[:8])
}

// announce says what is going to move before anything does.
func (r *run) announce(all []planned) {
	var names []string
	for _, p := range all {
		if !p.idle() {
			names = append(names, printer.Safe(p.release.Name))
		}
	}
	if len(names) > 0 && !r.choose.named() {
		fmt.Fprintf(r.streams.ErrOut, "Moving in context %s, namespace %s: %s\n", printer.Safe(r.conn.context()), r.namespace, strings.Join(names, ", "))
	}
	if !r.leases && len(names) > 0 {
		r.warn("leases are forbidden: no lock, no history and no recorded baseline; --replicas says what carries the full load")
	}
	if r.live.AutoscalersHidden() {
		r.warn("horizontalpodautoscalers are forbidden: whether one would undo the move cannot be seen")
	}
	if r.live.LimitsHidden() && slices.ContainsFunc(all, func(p planned) bool { return p.plan.Raises() }) {
		r.warn("resourcequotas or limitranges are forbidden: whether there is room for the pods that are started cannot be seen")
	}
	var warnings, notes remarks
	for _, p := range all {
		for _, w := range p.warnings {
			if !p.idle() {
				warnings.add(p.release.Name, w.Message)
			}
		}
		for _, note := range p.target.Notes {
			notes.add(p.release.Name, note)
		}
	}
	warnings.each(r.warn)
	notes.each(func(line string) { fmt.Fprintln(r.streams.ErrOut, printer.Safe(line)) })
}

func (r *run) warn(text string) { fmt.Fprintf(r.streams.ErrOut, "Warning: %s\n", printer.Safe(text)) }

// watch shows the move while it goes on, until stop.
func (r *run) watch(moves []mover.Move) (notify func(canary.Event), stop func()) {
	releases := make([]canary.Release, len(moves))
	for i, m := range moves {
		releases[i] = m.Release
	}
	return showProgress(r.streams.ErrOut, r.client, releases)
}
