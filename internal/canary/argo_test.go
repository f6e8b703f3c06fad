package canary

import (
	"bufio"
	"fmt"
	"math/big"
	"os"
	"testing"
)

// Argo Rollouts finds no candidate for these without surge, and falls back to no canary at all.
func TestArgoHoles(t *testing.T) {
	for total, w := range map[int]Weight{2: 7500, 5: 9000, 10: 9500, 25: 9800, 50: 9900} {
		s, err := Arithmetic{Baseline: total, Tolerance: 100}.Split(w)
		if want := (Split{1, total - 1}); err != nil || s != want {
			t.Errorf("%s%% of %d: got %s, %v; want %s", w, total, s, err, want)
		}
	}
}

// The table of Argo Rollouts' own tests (utils/replicaset/canary_test.go), side by side: with the same surge
// we are never further off than Argo, where it matters by more than the tolerance.
func TestNoWorseThanArgo(t *testing.T) {
	f, err := os.Open("testdata/argo_approx_weight_cases.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	compared := 0
	for rows := bufio.NewScanner(f); rows.Scan(); {
		var replicas, percent, most, surge, canary, stable int
		if _, err := fmt.Sscan(rows.Text(), &replicas, &percent, &most, &surge, &canary, &stable); err != nil {
			continue // the header
		}
		a, w, argo := Arithmetic{Baseline: replicas, Surge: surge, Tolerance: 100}, Weight(100*percent), Split{stable, canary}
		ours, err := a.Split(w)
		switch oneSided := w > None && w < Full && (stable == 0 || canary == 0); {
		case replicas == 0 || oneSided:
			// Argo answers with nothing, or with all on one side; we refuse.
			if err == nil {
				t.Errorf("%d%% of %d, surge %d: %s, want an error", percent, replicas, surge, ours)
			}
			continue
		case err != nil:
			t.Errorf("%d%% of %d, surge %d: %v", percent, replicas, surge, err)
			continue
		}
		compared++
		if off := wrong(a, w, ours); off.Cmp(wrong(a, w, argo)) > 0 && off.Cmp(big.NewRat(100, 1)) > 0 {
			t.Errorf("%d%% of %d, surge %d: ours %s, Argo's %s is nearer", percent, replicas, surge, ours, argo)
		}
	}
	if compared < 40 {
		t.Errorf("only %d rows were compared", compared)
	}
}

func TestSplitString(t *testing.T) {
	if s := (Split{Stable: 3, Canary: 1}); s.String() != "3/1" || s.Total() != 4 {
		t.Errorf("%s of %d", s, s.Total())
	}
}
