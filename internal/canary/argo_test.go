package canary

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/accuracy.tsv anew")

// argo is the split of Argo Rollouts' canary without a traffic router, as approximateWeightedCanaryStableReplicaCounts
// publishes it (github.com/argoproj/argo-rollouts at 9f8d111d8f8e, utils/replicaset/canary.go): of the whole counts around
// the canary's part of the replicas it takes the one that is nearest, with one replica more where there is surge. Floating
// point as there, for a tie is only a tie where that says so.
func argo(replicas, percent, surge int) Split {
	best, least := Split{Stable: replicas}, math.Inf(1)
	oneSided := percent == 0 || percent == 100 || replicas == 1 && surge == 0
	floor, ceil := replicas*percent/100, (replicas*percent+99)/100
	for total := replicas; total <= replicas+min(surge, 1) && replicas > 0; total++ {
		try := func(canary int) {
			if off := math.Abs(float64(100*canary)/float64(total) - float64(percent)); off < least {
				best, least = Split{Stable: total - canary, Canary: canary}, off
			}
		}
		if ceil < total || oneSided {
			try(ceil)
		}
		_, part := math.Modf(float64(total) * (float64(percent) / 100))
		if part != 0.5 && (floor > 0 || oneSided) {
			try(floor)
		}
	}
	return best
}

// The table of Argo Rollouts' own tests (utils/replicaset/canary_test.go) holds for what is compared with here.
func TestArgo(t *testing.T) {
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
		compared++
		if got, want := argo(replicas, percent, surge), (Split{stable, canary}); got != want {
			t.Errorf("%d%% of %d, surge %d: %s, want %s", percent, replicas, surge, got, want)
		}
	}
	if compared < 50 {
		t.Errorf("only %d rows were compared", compared)
	}
}

// Argo Rollouts finds no candidate for these without surge, and falls back to no canary at all.
func TestArgoHoles(t *testing.T) {
	for total, w := range map[int]Weight{2: 7500, 5: 9000, 10: 9500, 25: 9800, 50: 9900} {
		if s, want := argo(total, int(w)/100, 0), (Split{total, 0}); s != want {
			t.Errorf("%s%% of %d: Argo's is %s, want %s", w, total, s, want)
		}
		s, err := Arithmetic{Baseline: total, Tolerance: 100}.Split(w)
		if want := (Split{1, total - 1}); err != nil || s != want {
			t.Errorf("%s%% of %d: got %s, %v; want %s", w, total, s, err, want)
		}
	}
}

// accuracy counts how near we come to the weight, compared with Argo.
type accuracy struct {
	better, equal, worse int
	refused              int      // Argo puts all on one side, and there is no other split
	most                 *big.Rat // the furthest that we are off where we are worse, in hundredths of a percent
	ours, argos          *big.Rat // the sum of what each is off
}

// For every baseline up to 40, every whole weight and the same surge we are further off than Argo only within the
// tolerance, where fewer pods are worth more than the rest of a point. testdata/accuracy.tsv has the counts.
func TestAccuracy(t *testing.T) {
	const tolerance = 100
	var table strings.Builder
	fmt.Fprintln(&table, "surge\tsplits\tbetter\tequal\tworse\tworst of these, points off\trefused\tmean points off\tArgo's mean")
	for _, surge := range []string{"0", "1", "25%"} {
		amount, err := ParseAmount(surge)
		if err != nil {
			t.Fatal(err)
		}
		n := accuracy{most: new(big.Rat), ours: new(big.Rat), argos: new(big.Rat)}
		for baseline := 1; baseline <= 40; baseline++ {
			for percent := 0; percent <= 100; percent++ {
				n.compare(t, Arithmetic{Baseline: baseline, Surge: amount.Up(baseline), Tolerance: tolerance}, percent)
			}
		}
		if n.most.Cmp(big.NewRat(tolerance, 1)) > 0 {
			t.Errorf("surge %s: worse than Argo, and %s hundredths of a point off", surge, n.most.FloatString(1))
		}
		compared := n.better + n.equal + n.worse
		points := func(r *big.Rat, of int) string {
			return new(big.Rat).Mul(r, big.NewRat(1, 100*int64(of))).FloatString(2)
		}
		fmt.Fprintf(&table, "%s\t%d\t%d\t%d\t%d\t%s\t%d\t%s\t%s\n", surge, compared, n.better, n.equal, n.worse,
			points(n.most, 1), n.refused, points(n.ours, compared), points(n.argos, compared))
	}
	const file = "testdata/accuracy.tsv"
	if *update {
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("the counts have changed (-update writes them anew):\n%swant\n%s", &table, want)
	}
}

func (n *accuracy) compare(t *testing.T, a Arithmetic, percent int) {
	w, argos := Weight(100*percent), argo(a.Baseline, percent, a.Surge)
	ours, err := a.Split(w)
	if err != nil {
		if n.refused++; argos.Stable > 0 && argos.Canary > 0 {
			t.Errorf("%d%% of %d, surge %d: %v, and Argo has %s", percent, a.Baseline, a.Surge, err, argos)
		}
		return
	}
	off, argosOff := wrong(a, w, ours), wrong(a, w, argos)
	n.ours.Add(n.ours, off)
	n.argos.Add(n.argos, argosOff)
	switch off.Cmp(argosOff) {
	case -1:
		n.better++
	case 0:
		n.equal++
	case 1:
		n.worse++
		if off.Cmp(n.most) > 0 {
			n.most = off
		}
	}
}

func TestSplitString(t *testing.T) {
	if s := (Split{Stable: 3, Canary: 1}); s.String() != "3/1" || s.Total() != 4 {
		t.Errorf("%s of %d", s, s.Total())
	}
}
