package canary

import (
	"slices"
	"testing"
)

// A label could tell versions apart when all pod templates have it, and not all the same.
func TestTellingLabels(t *testing.T) {
	ns := namespace(service("auth", "app=auth"), service("one", "app=one"),
		deployment("a", 3, "app=auth,version=v1,track=stable,tier=x,part=here"),
		deployment("b", 1, "app=auth,version=v2,track=stable,tier=y,part=too"),
		deployment("c", 1, "app=auth,version=v3,track=canary,tier=y"), deployment("one", 1, "app=one,version=v1"))
	want := map[string][]string{"auth": {"tier", "track", "version"}, "one": nil}
	for _, r := range Discover(ns, Options{All: true}) {
		if got := slices.Sorted(slices.Values(r.TellingLabels())); !slices.Equal(got, want[r.Name]) {
			t.Errorf("%s: %q, want %q", r.Name, got, want[r.Name])
		}
	}
}
