package mover

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func (w *world) keeps(ctx context.Context, t *testing.T, o Options) Result {
	t.Helper()
	return w.keepsWith(ctx, t, o, nil)
}

func (w *world) keepsWith(ctx context.Context, t *testing.T, o Options, l Lock) Result {
	t.Helper()
	r := canary.Discover(w.now(), canary.Options{})[0]
	to := canary.Split{Canary: 3}
	b := r.Bounds(canary.Ask{Surge: canary.Percent(25), Keep: true}, canary.Target{Split: to, Baseline: 3})
	return Run(ctx, w, w.now(), []Move{{Release: r, Target: to, Bounds: b, Keep: true, Lock: l}}, o)[0]
}

func TestKeep(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		if r := w.keeps(t.Context(), t, options()); r.Outcome != canary.Done || !r.Release.Kept() || r.Release.Stable.Dark != 3 {
			t.Errorf("ended as %s (%v), %d dark", r.Outcome, r.Err, r.Release.Stable.Dark)
		}
		w.wantWrites("auth-v2 1→3", "drain of auth-v1", "drain of auth-v1", "drain of auth-v1")
		w.wantSplits(canary.Split{Stable: 3, Canary: 3})
		w.writes = nil
		w.keeps(t.Context(), t, options())
		w.wantWrites()

		results, _ := w.run(t.Context(), rollback(), canary.Split{Stable: 3})
		wantOutcomes(t, results, canary.Done)
		w.wantWrites("relight of auth-v1", "relight of auth-v1", "relight of auth-v1", "drain of auth-v2", "drain of auth-v2", "drain of auth-v2", "auth-v2 3→0")
		w.wantUncut()
	})
}

// A promote ends what another has kept, without a wait.
func TestPromoteEndsKeep(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		w.keeps(t.Context(), t, options())
		w.writes = nil
		moves := w.moves(canary.Split{Canary: 3}, false)
		moves[0].Release.Record = &canary.Record{Changes: []canary.Change{{Outcome: canary.Done}}}
		began := time.Now()
		wantOutcomes(t, Run(t.Context(), w, w.now(), moves, options()), canary.Done)
		w.wantWrites("auth-v1 3→0")
		if took := time.Since(began); took > settleTime+time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// Who may not relight starts pods in place of dark ones.
func TestSheds(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		w.keeps(t.Context(), t, options())
		w.writes = nil
		o := rollback()
		o.MayDrain = false
		results, _ := w.run(t.Context(), o, canary.Split{Stable: 3})
		wantOutcomes(t, results, canary.Done)
		w.wantWrites("auth-v1 3→0", "auth-v1 0→3", "auth-v2 3→0")
	})
}

func TestKeepsWhatIsThere(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		w.full["auth-v1"] = true
		d := w.find("auth-v1")
		d.pods = d.pods[:2]
		if r := w.keeps(t.Context(), t, options()); r.Outcome != canary.Done || r.Release.Replicas() != (canary.Split{Stable: 2, Canary: 3}) {
			t.Errorf("ended as %s (%v) at %s", r.Outcome, r.Err, r.Release.Replicas())
		}
	})
}

func TestBake(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		o := options()
		o.Bake = 10 * time.Minute
		time.AfterFunc(5*time.Minute, func() {
			d := w.find("auth-v1")
			w.change("a dark pod is evicted", func() {
				d.pods = slices.Delete(d.pods, 0, 1)
				w.reconcile(d)
			})
		})
		began, l := time.Now(), &lock{left: 99}
		r := w.keepsWith(t.Context(), t, o, l)
		if took := time.Since(began); r.Outcome != canary.Done || r.Release.Replicas() != (canary.Split{Canary: 3}) || took < o.Bake || took > o.Bake+time.Minute {
			t.Errorf("ended as %s (%v) at %s after %s", r.Outcome, r.Err, r.Release.Replicas(), took)
		}
		w.wantWrites("auth-v2 1→3", "drain of auth-v1", "drain of auth-v1", "drain of auth-v1", "drain of auth-v1", "auth-v1 3→0")
		if !slices.Equal(l.notes, []bool{true, false, true, false}) {
			t.Errorf("noted %v", l.notes)
		}
	})
}

// Who finds that the lock was taken while it baked writes nothing more.
func TestLockTakenWhileBaking(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		o, l := options(), &lock{left: 99}
		o.Bake = 10 * time.Minute
		time.AfterFunc(5*time.Minute, func() { l.taken = true })
		var locked *canary.LockedError
		if r := w.keepsWith(t.Context(), t, o, l); !errors.As(r.Err, &locked) || !r.Release.Kept() {
			t.Errorf("ended as %s (%v)", r.Outcome, r.Err)
		}
		w.wantWrites("auth-v2 1→3", "drain of auth-v1", "drain of auth-v1", "drain of auth-v1")
	})
}

// A signal while it bakes leaves it as --keep does.
func TestBakeInterrupted(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		o := options()
		o.Bake = 10 * time.Minute
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Minute, func() { cancel(ErrInterrupted) })
		r := w.keeps(ctx, t, o)
		if r.Outcome != canary.Done || !errors.Is(r.Err, ErrInterrupted) || !r.Release.Kept() {
			t.Errorf("ended as %s (%v)", r.Outcome, r.Err)
		}
	})
}

func TestKeepsInARollOut(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		w.find("auth-v1").Pods = 1
		if r := w.keeps(t.Context(), t, options()); r.Outcome != canary.Done || r.Release.Stable.Dark != 3 {
			t.Errorf("ended as %s (%v), %d dark", r.Outcome, r.Err, r.Release.Stable.Dark)
		}
	})
}

// What was kept, and put back into the Service by a move that fails, is kept again.
func TestRestoresWhatWasKept(t *testing.T) {
	for name, full := range map[string]string{"raised": "auth-v2", "not raised": "auth-v1", "refused": ""} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, w *world) {
				w.drainable = true
				w.release("auth", 3, 1)
				w.keeps(t.Context(), t, options())
				w.full[full], w.podsLag = true, true
				w.on(func(what string) error {
					if what == "scale" && name == "refused" {
						return errors.New("no")
					}
					return nil
				})
				results, _ := w.run(t.Context(), options(), canary.Split{Stable: 4, Canary: 4})
				wantOutcomes(t, results, canary.Restored)
				time.Sleep(time.Second)
				if r := canary.Discover(w.now(), canary.Options{})[0]; !r.Kept() || r.Replicas() != (canary.Split{Stable: 3, Canary: 3}) {
					t.Errorf("is at %s with %d dark", r.Replicas(), r.Stable.Dark)
				}
			})
		})
	}
}

// When a bake is over the promote is done: what fails then puts nothing back.
func TestBakeIsNotUndone(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.drainable = true
		w.release("auth", 3, 1)
		o := options()
		o.Bake = 10 * time.Minute
		w.on(func(what string) error {
			if what == "scale" && w.find("auth-v1").pods[0].Cheapest {
				return errors.New("no")
			}
			return nil
		})
		if r := w.keeps(t.Context(), t, o); r.Outcome != canary.Held || !r.Release.Kept() {
			t.Errorf("ended as %s (%v) at %s", r.Outcome, r.Err, r.Release.Replicas())
		}
	})
}
