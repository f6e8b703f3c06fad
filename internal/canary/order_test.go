package canary

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCompareVersions(t *testing.T) {
	for _, ascending := range [][]string{
		{"v1", "v2", "v9", "v10", "v100"},
		{"1.0", "1.2", "1.10", "2.0"},
		{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-rc.1"},
		{"v1.0.0-rc.1", "v1.0.0", "v1.1.0"},
		{"v1.9.0", "2.0.0", "v2.1.0"}, // with and without the v
		{"1.0.0-1", "1.0.0-alpha"},    // numbers rank below names
		{"1.0.0", "1.0.0+build.2"},    // build metadata breaks ties only
		{"2024-01-31", "2024-02-01"},  // a dash alone makes no pre-release
		{"v2", "v2-hotfix", "v3"},     // which is not a semantic version
		{"1.0.0-rc.01", "1.0.0-rc.1"}, // the same number, and still in an order
		{"release-9", "release-10", "release-10a"},
		{"blue", "green"},
		{"", "1", "v1"},
		{"20240131120000", "999999999999999999999999999999"}, // too long for an integer
	} {
		for i := range ascending[1:] {
			a, b := ascending[i], ascending[i+1]
			if CompareVersions(a, b) >= 0 || CompareVersions(b, a) <= 0 {
				t.Errorf("%q is not before %q: %d, %d", a, b, CompareVersions(a, b), CompareVersions(b, a))
			}
		}
		sorted := slices.Clone(ascending)
		slices.Reverse(sorted)
		slices.SortFunc(sorted, CompareVersions)
		if diff := gocmp.Diff(ascending, sorted); diff != "" {
			t.Errorf("sorted (-want +got):\n%s", diff)
		}
	}
}

// Sorting needs a total order: else the canary would depend on the order in which the server lists Deployments.
func TestCompareVersionsIsAnOrder(t *testing.T) {
	version := rapid.OneOf(
		rapid.StringMatching(`v?[0-2]{1,2}\.[0-2]{1,2}\.[0-2]{1,2}(-(rc|a)?\.?[0-2]{0,2})?(\+[0-2])?`),
		rapid.StringMatching(`[v0-2.a+-]{0,6}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if (CompareVersions(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q compare %d", a, b, CompareVersions(a, b))
		}
		if x, y := CompareVersions(a, b), CompareVersions(b, a); cmp.Compare(x, 0) != -cmp.Compare(y, 0) {
			t.Fatalf("%q and %q: %d one way, %d the other", a, b, x, y)
		}
		if CompareVersions(a, b) < 0 && CompareVersions(b, c) < 0 && CompareVersions(a, c) >= 0 {
			t.Fatalf("%q < %q < %q, but not %q < %q", a, b, c, a, c)
		}
	})
}
