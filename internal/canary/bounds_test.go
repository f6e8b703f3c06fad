package canary

import (
	"fmt"
	"testing"
)

func TestServed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		at     string // stable+canary, each replicas:serving:ready
		target Split
		surge  int
		want   bool
	}{
		{"rollback, stable suffices, canary sick", "3:3:3 1:0:0", Split{3, 0}, 3, true},
		{"rollback, stable suffices, canary half up", "3:3:3 3:1:1", Split{3, 0}, 3, true},
		{"rollback, nothing serves, canary sick", "3:0:0 3:0:0", Split{3, 0}, 3, true},
		{"rollback, stable not raised as far as it may be", "2:1:1 1:0:0", Split{3, 0}, 3, false},
		{"rollback, stable still starting, canary serves", "3:0:0 3:3:3", Split{3, 0}, 3, false},
		{"promote, canary starting", "3:3:3 1:0:0", Split{0, 3}, 1, false},
		{"promote, canary ready and no endpoint yet", "3:3:3 1:0:1", Split{0, 3}, 1, false},
		{"promote, first pod serves", "3:3:3 1:1:1", Split{0, 3}, 1, true},
		{"at the target, one missing", "2:2:2 2:1:1", Split{2, 2}, 1, false},
		{"at the target", "2:2:2 2:2:2", Split{2, 2}, 1, true},
		{"both shrink: nothing to wait for", "5:5:5 5:5:5", Split{3, 1}, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := position(t, tc.at)
			b := NewBounds(p, p.Replicas().Total(), tc.target, tc.surge, 0)
			if got := b.Served(p, tc.target); got != tc.want {
				t.Errorf("Served is %v within %+v", got, b)
			}
		})
	}
}

func position(t *testing.T, s string) (p Position) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "%d:%d:%d %d:%d:%d", &p.Stable.Replicas, &p.Stable.Serving, &p.Stable.Ready,
		&p.Canary.Replicas, &p.Canary.Serving, &p.Canary.Ready); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNewBounds(t *testing.T) {
	for _, tc := range []struct {
		name               string
		at                 string
		pods               int
		target             Split
		surge, unavailable int
		want               Bounds
	}{
		{"promote", "3:3:3 0:0:0", 3, Split{0, 3}, 1, 0, Bounds{3, 4}},
		{"as many as before where that is less", "3:2:2 0:0:0", 3, Split{0, 3}, 1, 0, Bounds{2, 4}},
		{"as many as after where that is less", "3:3:3 1:1:1", 4, Split{3, 0}, 3, 0, Bounds{3, 6}},
		{"unavailable", "4:4:4 0:0:0", 4, Split{0, 4}, 0, 1, Bounds{3, 4}},
		{"never the last one", "2:2:2 0:0:0", 2, Split{0, 2}, 0, 5, Bounds{1, 2}},
		{"nothing serves", "3:0:0 0:0:0", 3, Split{0, 3}, 1, 0, Bounds{0, 4}},
		{"more pods than the ceiling are there already", "9:9:9 9:9:9", 18, Split{3, 0}, 1, 0, Bounds{3, 18}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := NewBounds(position(t, tc.at), tc.pods, tc.target, tc.surge, tc.unavailable); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestLowerTakesWhatDoesNotServe(t *testing.T) {
	for _, tc := range []struct {
		name   string
		at     string
		target Split
		want   Split
	}{
		{"unready pods beyond the floor", "3:3:3 3:1:1", Split{3, 0}, Split{3, 0}},
		{"unready pods where nothing can be spared", "4:2:2 1:1:1", Split{0, 3}, Split{2, 1}},
		{"ready pods of which no endpoint is left (a drain that was cut off)", "3:3:3 3:0:3", Split{3, 0}, Split{3, 0}},
		{"a ready pod that does not serve may be the one to stay", "10:5:10 5:5:5", Split{5, 5}, Split{10, 5}},
		{"the canary first", "4:4:4 4:4:4", Split{2, 2}, Split{2, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := position(t, tc.at)
			if got := NewBounds(p, p.Replicas().Total(), tc.target, 1, 0).Lower(p, tc.target); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// A position says what may be counted on. What a side has dark goes right after the unready pods: it is the cheapest to delete.
func TestPosition(t *testing.T) {
	r := Release{
		Stable: &Version{Serving: 5, Dark: 5, Deployment: Deployment{Replicas: 10, ReadyPods: 10}},
		Canary: &Version{Serving: 5, Deployment: Deployment{Replicas: 5, ReadyPods: 5}},
	}
	p, target := r.Position(), Split{5, 5}
	if got := NewBounds(p, 15, target, 1, 0).Lower(p, target); got != target {
		t.Errorf("dark pods keep %s", got)
	}
	// A run that begins just after a scale-down sees endpoints of pods that are about to go.
	r.Stable = &Version{Serving: 3, Deployment: Deployment{Replicas: 1, ReadyPods: 3}}
	if got, want := r.Position().Stable, (Side{Replicas: 1, Serving: 1, Ready: 1}); got != want {
		t.Errorf("in mid-scale: %+v, want %+v", got, want)
	}
	if p := (&Release{}).Position(); p != (Position{}) {
		t.Errorf("without roles: %+v", p)
	}
}

func TestDone(t *testing.T) {
	for at, want := range map[string]bool{
		"3:3:3 1:1:1": true, "3:3:3 1:0:1": false, "3:2:3 1:1:1": false, "3:3:3 2:2:2": false, "4:4:4 1:1:1": false,
	} {
		if got := position(t, at).Done(Split{3, 1}); got != want {
			t.Errorf("%s: done is %v", at, got)
		}
	}
}
