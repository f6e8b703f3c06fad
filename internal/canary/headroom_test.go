package canary

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asking is a pod template whose only container asks for what it is given, whatever the limit ranges say.
type asking PodDemand

func (a asking) Pod([]LimitRange) PodDemand { return PodDemand(a) }

// demand is a pod of one container, from "requests cpu=100,memory=5 limits cpu=200", in thousandths.
func demand(text string) asking {
	var requests, limits Amounts
	for i, word := range strings.Fields(text) {
		if i%2 == 0 {
			continue
		}
		a := Amounts{}
		for k, v := range labels(word) {
			var n int64
			if _, err := fmt.Sscan(v, &n); err != nil {
				panic(err)
			}
			a[k] = n
		}
		if strings.Fields(text)[i-1] == "limits" {
			limits = a
		} else {
			requests = a
		}
	}
	return asking{
		Requests: requests, Limits: limits, BareRequests: requests, BareLimits: limits,
		Containers: []ContainerDemand{{Name: "app", Requests: requests, Limits: limits}},
	}
}

// moving plans the move of the only release of a namespace, with a surge of one pod, and gives its sides their pods.
func moving(t *testing.T, name string, from, to Split, stable, canary Template) Moving {
	t.Helper()
	s := namespace(service(name, "app="+name), deployment(name+"-v1", from.Stable, "app="+name+",version=v1"), deployment(name+"-v2", from.Canary, "app="+name+",version=v2"))
	s.Deployments[0].Template, s.Deployments[1].Template = stable, canary
	r := one(s, Options{})
	p := r.Position()
	plan, err := NewPlan(p, to, NewBounds(p, from.Total(), to, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return Moving{r, plan}
}

func messages(found [][]Problem) [][]string {
	all := make([][]string, len(found))
	for i, problems := range found {
		for _, p := range problems {
			all[i] = append(all[i], p.Message)
		}
	}
	return all
}

func TestQuota(t *testing.T) {
	small, large := demand("requests cpu=100,memory=64000 limits cpu=200"), demand("requests cpu=250,memory=128000 limits cpu=300")
	shift := func(t *testing.T) []Moving {
		return []Moving{moving(t, "auth", Split{3, 1}, Split{2, 2}, small, large)}
	}
	promote := func(t *testing.T) []Moving {
		return []Moving{moving(t, "auth", Split{3, 1}, Split{0, 3}, small, large)}
	}
	both := func(t *testing.T) []Moving {
		return append(shift(t), moving(t, "chat", Split{3, 1}, Split{2, 2}, small, large))
	}
	changed := func(f func(*Moving)) func(t *testing.T) []Moving {
		return func(t *testing.T) []Moving {
			all := shift(t)
			f(&all[0])
			return all
		}
	}
	of := func(priority string) asking {
		d := large
		d.PriorityClass = priority
		return d
	}
	hard := func(text string, scopes ...QuotaScope) Quota {
		q := Quota{Name: "q", Hard: Amounts{}, Used: Amounts{}, Scopes: scopes}
		for k, v := range labels(text) {
			var used, limit int64
			if _, err := fmt.Sscanf(v, "%d/%d", &used, &limit); err != nil {
				panic(err)
			}
			q.Hard[k], q.Used[k] = limit, used
		}
		return q
	}
	scope := func(name string) QuotaScope { return QuotaScope{Name: name, Operator: "Exists"} }
	for _, tc := range []struct {
		name  string
		moves func(*testing.T) []Moving
		quota Quota
		apart bool
		want  [][]string
	}{
		{"room for just these", shift, hard("pods=4000/5000,requests.cpu=550/800,memory=0/128000,limits.cpu=900/1200"), false, [][]string{nil}},
		{"a pod too few", shift, hard("pods=4000/4999"), false, [][]string{{"quota q: pods: 1 more needed at the worst moment (round 1: 5 pods), 999m left"}}},
		{"a thousandth too little", shift, hard("requests.cpu=550/799"), false, [][]string{{"quota q: requests.cpu: 250m more needed at the worst moment (round 1: 5 pods), 249m left"}}},
		{"overdrawn", shift, hard("cpu=550/500,limits.cpu=9/9,count/pods=0/0"), false, [][]string{{
			"quota q: count/pods: 1 more needed at the worst moment (round 1: 5 pods), none left",
			"quota q: cpu: 250m more needed at the worst moment (round 1: 5 pods), none left",
			"quota q: limits.cpu: 300m more needed at the worst moment (round 1: 5 pods), none left",
		}}},
		{"memory in bytes", shift, hard("requests.memory=0/64000"), false, [][]string{{"quota q: requests.memory: 128 more needed at the worst moment (round 1: 5 pods), 64 left"}}},
		{"the last round is the worst", promote, hard("requests.cpu=550/849"), false, [][]string{{"quota q: requests.cpu: 300m more needed at the worst moment (round 2: 4 pods), 299m left"}}},
		{"the last round, and room", promote, hard("requests.cpu=550/1050,pods=4000/6000"), false, [][]string{nil}},
		{"the last round, and room when what was stopped is gone", promote, hard("requests.cpu=550/850,pods=4000/4000"), false, [][]string{{
			"quota q: pods: 2 more needed at the worst moment (round 2: 6 pods, with those that are stopped and may not be gone yet), none left",
			"quota q: requests.cpu: 500m more needed at the worst moment (round 2: 6 pods, with those that are stopped and may not be gone yet), 300m left",
		}}},
		{"all releases at once", both, hard("pods=8000/9000"), false, [][]string{
			{"quota q: pods: 2 more needed at the worst moment (round 1: 10 pods), 1 left"},
			{"quota q: pods: 2 more needed at the worst moment (round 1: 10 pods), 1 left"},
		}},
		{"all releases, each by itself", both, hard("pods=8000/9000"), true, [][]string{
			{"quota q: pods: 2 more needed at the worst moment (all at once: 10 pods), 1 left"},
			{"quota q: pods: 2 more needed at the worst moment (all at once: 10 pods), 1 left"},
		}},
		{"all releases, and room", both, hard("pods=8000/10000"), true, [][]string{nil, nil}},
		{"of nothing that they take", shift, hard("services=9/9,requests.nvidia.com/gpu=0/0,requests.storage=0/0,limits.ephemeral-storage=0/0"), false, [][]string{nil}},
		{"not counted yet", shift, Quota{Name: "q", Hard: Amounts{"pods": 0}}, false, [][]string{nil}},
		{"an extended resource", changed(func(m *Moving) {
			m.Release.Canary.Deployment.Template = demand("requests nvidia.com/gpu=1000,hugepages-2Mi=2048000")
		}), hard("requests.nvidia.com/gpu=0/0,hugepages-2Mi=0/1024000"), false, [][]string{{
			"quota q: hugepages-2Mi: 2Ki more needed at the worst moment (round 1: 5 pods), 1Ki left",
			"quota q: requests.nvidia.com/gpu: 1 more needed at the worst moment (round 1: 5 pods), none left",
		}}},
		{"what is not known", changed(func(m *Moving) { m.Release.Stable.Deployment.Template = nil }), hard("pods=9/9"), false, [][]string{nil}},
		{"pods that are missing come too", changed(func(m *Moving) { m.Release.Stable.Deployment.Pods = 2 }), hard("pods=3000/4999"), false, [][]string{{
			"quota q: pods: 2 more needed at the worst moment (round 1: 5 pods), 1999m left",
		}}},
		{"pods that are missing come, where nothing else does", func(t *testing.T) []Moving {
			m := moving(t, "auth", Split{3, 1}, Split{3, 0}, small, large)
			m.Release.Stable.Deployment.Pods = 2
			return []Moving{m}
		}, hard("pods=3000/3000"), false, [][]string{{"quota q: pods: 1 more needed at the worst moment (round 1: 4 pods), none left"}}},
		{"a resource that no quota counts", changed(func(m *Moving) {
			m.Release.Canary.Deployment.Template = demand("requests x.kubernetes.io/y=1000")
		}), hard("requests.x.kubernetes.io/y=0/0"), false, [][]string{nil}},
		{"kept pods stay", func(t *testing.T) []Moving {
			m := moving(t, "auth", Split{3, 1}, Split{0, 3}, small, large)
			m.Plan.Keep = true
			return []Moving{m}
		}, hard("pods=4000/5999"), false, [][]string{{"quota q: pods: 2 more needed at the worst moment (round 2: 6 pods), 1999m left"}}},
		{"nothing is created", func(t *testing.T) []Moving {
			return []Moving{moving(t, "auth", Split{3, 1}, Split{3, 0}, small, large)}
		}, hard("pods=9/1"), false, [][]string{nil}},
		{"a request that is demanded", changed(func(m *Moving) { m.Release.Canary.Deployment.Template = demand("requests memory=5000") }), hard("requests.cpu=0/9000,limits.memory=0/9000"), false, [][]string{{
			"quota q: limits.memory has to be set on every container, and is not on app of Deployment auth-v2",
		}}},
		{"not of the whole pod's own", changed(func(m *Moving) {
			m.Release.Canary.Deployment.Template = asking{PodLevel: true, Requests: Amounts{"cpu": 100}, Containers: []ContainerDemand{{Name: "app"}}}
		}), hard("requests.cpu=0/9000,limits.memory=0/9000"), false, [][]string{nil}},
		{"not of a side that does not grow", changed(func(m *Moving) { m.Release.Stable.Deployment.Template = demand("") }), hard("requests.cpu=0/9000"), false, [][]string{nil}},

		{"BestEffort", shift, hard("pods=0/0", scope("BestEffort")), false, [][]string{nil}},
		{"BestEffort, and they are", changed(func(m *Moving) { m.Release.Canary.Deployment.Template = demand("requests x/y=1") }), hard("pods=0/0", scope("BestEffort")), false, [][]string{{"quota q: pods: 1 more needed at the worst moment (round 1: 5 pods), none left"}}},
		{"NotBestEffort", shift, hard("pods=0/0", scope("NotBestEffort")), false, [][]string{{"quota q: pods: 1 more needed at the worst moment (round 1: 5 pods), none left"}}},
		{"Terminating", shift, hard("pods=0/0", scope("Terminating")), false, [][]string{nil}},
		{"NotTerminating", shift, hard("pods=0/0", scope("NotTerminating")), false, [][]string{{"quota q: pods: 1 more needed at the worst moment (round 1: 5 pods), none left"}}},
		{"both scopes have to match", shift, hard("pods=0/0", scope("NotTerminating"), scope("BestEffort")), false, [][]string{nil}},
		{"a class that cannot be told", shift, hard("pods=0/0", scope("PriorityClass")), false, [][]string{nil}},
		{"a scope that is new", shift, hard("pods=0/0", scope("Sunny")), false, [][]string{nil}},
		{"a class", func(t *testing.T) []Moving {
			return []Moving{moving(t, "auth", Split{3, 1}, Split{2, 2}, of("low"), of("high"))}
		}, hard("pods=0/0", QuotaScope{"PriorityClass", "In", []string{"high"}}, scope("PriorityClass")), false, [][]string{{"quota q: pods: 1 more needed at the worst moment (round 1: 5 pods), none left"}}},
		{"another class", func(t *testing.T) []Moving {
			return []Moving{moving(t, "auth", Split{3, 1}, Split{2, 2}, of("low"), of("high"))}
		}, hard("pods=0/0", QuotaScope{"PriorityClass", "NotIn", []string{"high"}}), false, [][]string{nil}},
		{"any class but one", func(t *testing.T) []Moving {
			return []Moving{moving(t, "auth", Split{3, 1}, Split{2, 2}, of("low"), of("high"))}
		}, hard("pods=0/0", QuotaScope{"PriorityClass", "DoesNotExist", nil}), false, [][]string{nil}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Headroom(&Snapshot{Quotas: []Quota{tc.quota}}, tc.moves(t), !tc.apart)
			if diff := cmp.Diff(tc.want, messages(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, p := range slices.Concat(got...) {
				if p.Code != CodeQuota || (p.Severity == Warning) != strings.Contains(p.Message, "may not be gone") || p.Object != "ResourceQuota/q" || !slices.Equal(p.Next, []string{"describe quota q"}) {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

func TestQuotaAmount(t *testing.T) {
	for _, tc := range []struct {
		name string
		n    int64
		want string
	}{
		{"cpu", 250, "250m"},
		{"cpu", 2000, "2"},
		{"pods", 0, "none"},
		{"requests.memory", 128 << 20 * 1000, "128Mi"},
		{"memory", 1 << 31 * 1000, "2Gi"},
		{"limits.ephemeral-storage", 1000_000_000, "1000000"},
		{"hugepages-2Mi", 1 << 51 * 1000, "2048Ti"},
		{"memory", 1, "1m"},
	} {
		if got := amount(tc.name, tc.n); got != tc.want {
			t.Errorf("%s %d: %s, want %s", tc.name, tc.n, got, tc.want)
		}
	}
}
