package canary

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLimitRange(t *testing.T) {
	own, other := demand("requests cpu=100,memory=5000 limits cpu=200"), demand("")
	item := LimitRangeItem{Min: Amounts{"cpu": 100}, Max: Amounts{"cpu": 200}, Ratio: Amounts{"cpu": 2000}}
	pod := item
	pod.Pod = true
	for _, tc := range []struct {
		name string
		pods Template
		item LimitRangeItem
		want string
	}{
		{"in range", own, item, ""},
		{"the pod too", own, pod, ""},
		{"too little", own, LimitRangeItem{Min: Amounts{"cpu": 101}}, "container app requests 100m, and the least is 101m for cpu"},
		{"too low a limit", demand("requests cpu=300 limits cpu=200"), LimitRangeItem{Min: Amounts{"cpu": 201}}, "container app has a limit of 200m, and the least is 201m for cpu"},
		{"too high a limit", own, LimitRangeItem{Max: Amounts{"cpu": 199}}, "container app has a limit of 200m, and the most is 199m for cpu"},
		{"too much", demand("requests cpu=300 limits cpu=200"), LimitRangeItem{Max: Amounts{"cpu": 200}}, "container app requests 300m, and the most is 200m for cpu"},
		{"too wide", own, LimitRangeItem{Ratio: Amounts{"cpu": 1999}}, "container app has a limit of 200m and requests 100m, and the largest ratio is 1999m for cpu"},
		{"wide, of much", demand("requests cpu=4000000000000000000 limits cpu=8000000000000000000"), LimitRangeItem{Ratio: Amounts{"cpu": 2000}}, ""},
		{"too wide, of much", demand("requests cpu=4000000000000000000 limits cpu=9000000000000000000"), LimitRangeItem{Ratio: Amounts{"cpu": 2000}}, "container app has a limit of 9000000000000000 and requests 4000000000000000, and the largest ratio is 2 for cpu"},
		{"no request", other, LimitRangeItem{Min: Amounts{"cpu": 1}}, "container app has no request, and the least is 1m for cpu"},
		{"no limit", other, LimitRangeItem{Pod: true, Max: Amounts{"cpu": 1000}}, "the pod has no limit, and the most is 1 for cpu"},
		{"no ratio", own, LimitRangeItem{Ratio: Amounts{"memory": 1000}}, "container app has no request or no limit, and their ratio is bounded for memory"},
		{"two reasons", own, LimitRangeItem{Min: Amounts{"cpu": 300}, Max: Amounts{"cpu": 50}}, "container app requests 100m, and the least is 300m for cpu; container app has a limit of 200m, and the most is 50m for cpu"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// A side that is only lowered may be what it likes.
			move := moving(t, "auth", Split{3, 1}, Split{2, 2}, demand("requests cpu=9999"), tc.pods)
			s := &Snapshot{LimitRanges: []LimitRange{{Name: "l", Items: []LimitRangeItem{tc.item}}}}
			var want []string
			if tc.want != "" {
				want = []string{"limit range l refuses pods of Deployment auth-v2: " + tc.want}
			}
			got := Headroom(s, []Moving{move}, true)
			if diff := cmp.Diff([][]string{want}, messages(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, p := range got[0] {
				if p.Code != CodeLimitRange || p.Object != "LimitRange/l" || !slices.Equal(p.Next, []string{"describe limits l"}) {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}
