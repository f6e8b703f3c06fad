package mover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func TestMoves(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to canary.Split
		rollback bool
		writes   []string
	}{
		{
			name: "up", from: canary.Split{Stable: 3, Canary: 1}, to: canary.Split{Stable: 2, Canary: 2},
			writes: []string{"auth-v2 1→2", "auth-v1 3→2"},
		},
		{
			name: "down", from: canary.Split{Stable: 2, Canary: 2}, to: canary.Split{Stable: 3, Canary: 1},
			writes: []string{"auth-v1 2→3", "auth-v2 2→1"},
		},
		{
			name: "from nothing", from: canary.Split{Stable: 4}, to: canary.Split{Canary: 4},
			writes: []string{
				"auth-v2 0→1", "auth-v1 4→3", "auth-v2 1→2", "auth-v1 3→2", "auth-v2 2→3", "auth-v1 2→1", "auth-v2 3→4", "auth-v1 1→0",
			},
		},
		{
			name: "back at once", from: canary.Split{Canary: 3}, to: canary.Split{Stable: 3}, rollback: true,
			writes: []string{"auth-v1 0→3", "auth-v2 3→0"},
		},
		{
			name: "larger", from: canary.Split{Stable: 2}, to: canary.Split{Stable: 3, Canary: 3},
			writes: []string{"auth-v1 2→3", "auth-v2 0→3"},
		},
		{name: "there already", from: canary.Split{Stable: 3, Canary: 1}, to: canary.Split{Stable: 3, Canary: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T, w *world) {
				w.release("auth", c.from.Stable, c.from.Canary)
				o := options()
				o.Rollback = c.rollback
				results, _ := w.run(t.Context(), o, c.to)
				wantOutcomes(t, results, canary.Done)
				w.wantSplits(c.to)
				if c.name == "larger" {
					slices.Sort(w.writes) // both sides are raised at once, in any order
				}
				w.wantWrites(c.writes...)
				if p := results[0].Release.Position(); !p.Done(c.to) {
					t.Errorf("the result shows %+v", p)
				}
			})
		})
	}
}

// Nobody is lowered before everybody's new pods serve, and who is up says so once.
func TestBarrier(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		const n = 30
		for i := range n {
			w.release(fmt.Sprintf("app%02d", i), 3, 1)
		}
		w.start["app17-v2"] = w.slow(time.Minute)
		results, told := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		for i, r := range results {
			wantOutcomes(t, []Result{r}, canary.Done)
			if want := fmt.Sprintf("app%02d", i); r.Release.Name != want {
				t.Errorf("result %d is of %s", i, r.Release.Name)
			}
		}
		first := slices.IndexFunc(told.all, func(e canary.Event) bool { return e.Kind == canary.Lowered })
		raised := slices.IndexFunc(told.all, func(e canary.Event) bool { return e.Kind == canary.Serves && e.Release == "app17" })
		if raised > first {
			t.Errorf("event %d is a lower, and the last release serves only at event %d", first, raised)
		}
		if got := told.count(canary.Ready); got != n-1 {
			t.Errorf("%d releases say that they wait for the last one, want %d", got, n-1)
		}
		if got := len(w.writes); got != 2*n {
			t.Errorf("%d writes, want %d", got, 2*n)
		}
	})
}

// Who was up and is not any more holds the others at the barrier too, until the endpoints have stood still.
func TestBarrierHoldsWhileAPodFlaps(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.release("chat", 3, 1)
		flap := func(after time.Duration, ready bool) {
			time.AfterFunc(after, func() {
				w.change("a pod flaps", func() { pods := w.find("chat-v2").pods; pods[len(pods)-1].ready = ready })
			})
		}
		flap(2*time.Second, false)
		flap(30*time.Second, true)
		began := time.Now()
		w.on(func(what string) error {
			if took := time.Since(began); strings.Contains(what, "-v1 is scaled") && took < 30*time.Second {
				t.Errorf("%s after %s", what, took)
			}
			return nil
		})
		results, _ := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		wantOutcomes(t, results, canary.Done, canary.Done)
	})
}

// kube-proxy takes a change over up to a second late: a side is lowered only when the endpoints have stood still.
func TestHoldStill(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		began := time.Now()
		var lowered time.Duration
		w.on(func(what string) error {
			if what == "auth-v1 is scaled to 2" {
				lowered = time.Since(began)
			}
			return nil
		})
		w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		if want := controllerLag + startTime + 2*time.Second; lowered != want {
			t.Errorf("lowered after %s, want %s", lowered, want)
		}
	})
}

func TestEvents(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		_, told := w.run(t.Context(), options(), canary.Split{Stable: 2, Canary: 2})
		var got []string
		for _, e := range told.all {
			got = append(got, fmt.Sprint(e.Release, " ", e.Kind, " ", e.Deployment, e.Version, " ", e.From, e.To))
			if e.Kind == canary.Serves && e.Now.Serving() < 4 {
				t.Errorf("told that %d serve", e.Now.Serving())
			}
		}
		want := []string{
			"auth raised auth-v2v2 1 2", "auth serves  0 0", "auth lowered auth-v1v1 3 2", "auth serves  0 0", "auth settling  0 0",
		}
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// Whoever is not interested leaves Notify out.
func TestWithoutNotify(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		results := Run(t.Context(), w, w.now(), w.moves(canary.Split{Stable: 2, Canary: 2}, false), options())
		wantOutcomes(t, results, canary.Done)
	})
}

// A move that was cut off has left pods in the endpoints that are going: they are not counted on.
func TestWaitsForWhatIsStillGoing(t *testing.T) {
	in(t, func(t *testing.T, w *world) {
		w.release("auth", 3, 1)
		w.scale("auth-v1", 2) // the controllers have not acted on it
		start := w.now()
		results := Run(t.Context(), w, start, w.moves(canary.Split{Canary: 3}, false), options())
		wantOutcomes(t, results, canary.Done)
		w.wantSplits(canary.Split{Canary: 3})
	})
}
