package cluster

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// printable fails where a text has what could hide or forge what a terminal shows.
func printable(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			t.Fatalf("%s lets %U through:\n%q", what, r, text)
		}
	}
}

// judged is what `status` makes of a snapshot.
func judged(s *canary.Snapshot) []printer.Status {
	var all []printer.Status
	for _, r := range canary.Discover(s, canary.Options{All: true}) {
		all = append(all, printer.Status{Release: r, Problems: canary.Troubles(&r, s, noon, 10*time.Second), Autoscalers: s.Autoscalers})
	}
	return all
}

// shown holds all that is printed of a snapshot to be safe, and whatever stands in it to be one row a release.
func shown(t *testing.T, s *canary.Snapshot) {
	t.Helper()
	all := judged(s)
	command := func(next, namespace string) string { return "kubectl " + next + " -n " + namespace }
	for _, table := range []printer.Table{{}, {Wide: true, Namespace: true, Style: printer.Style{Unicode: true}}} {
		table.Now, table.Command, table.NoHeaders = noon, command, true
		lines := table.Lines(all)
		printable(t, "the table", strings.Join(lines, "\n"))
		rows, _, _ := strings.Cut(strings.Join(lines, "\n")+"\n", "\n\n")
		if n := strings.Count(strings.TrimSuffix(rows, "\n"), "\n") + 1; len(all) > 0 && n != len(all) {
			t.Fatalf("%d rows of %d releases:\n%s", n, len(all), rows)
		}
		for _, line := range lines {
			if strings.Contains(line, "\n") {
				t.Fatalf("a line is two: %q", line)
			}
		}
	}
	list := printer.NewReleaseList(all, command)
	for name, write := range map[string]func(*strings.Builder) error{
		"JSON": func(b *strings.Builder) error { return printer.JSON(b, list) },
		"YAML": func(b *strings.Builder) error { return printer.YAML(b, list) },
	} {
		var out strings.Builder
		if err := write(&out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		printable(t, name, out.String())
		if name == "JSON" && !json.Valid([]byte(out.String())) {
			t.Fatalf("this is no JSON: %s", out.String())
		}
	}
	for i := range all {
		for _, w := range []canary.Weight{canary.None, 2500, canary.Full} {
			planned(t, s, &all[i].Release, canary.Ask{Weight: w, Surge: canary.Percent(25), Rollback: w == canary.None})
		}
	}
}

// planned prints the plan of a move, where there is one.
func planned(t *testing.T, s *canary.Snapshot, r *canary.Release, a canary.Ask) {
	t.Helper()
	for _, p := range canary.Preflight(r, s, true) {
		printable(t, "what is refused", printer.Safe(p.Sentence()))
	}
	target, err := r.Aim(a, true)
	if err != nil || r.Stable == nil {
		return
	}
	plan, err := canary.NewPlan(r.Position(), target.Split, r.Bounds(a, target))
	if err != nil {
		return
	}
	var out strings.Builder
	if err := printer.Plan(&out, printer.Style{}, r, target, plan); err != nil {
		t.Fatal(err)
	}
	printable(t, "the plan", out.String())
}

// seed are the bytes that randfill starts a generator of its own from, when they are used up.
func seed(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

func FuzzObjects(f *testing.F) {
	for _, i := range []int{0, 1, 8, 12, 15, 16, 33, 44, 67, 120, 182, 378} { // one each with what TestOddObjects counts
		f.Add(seed(i))
	}
	f.Fuzz(func(t *testing.T, data []byte) { shown(t, odd(data)) })
}

// What FuzzObjects makes is worth looking at: releases with two sides, in several phases, with many kinds of problems.
func TestOddObjects(t *testing.T) {
	releases, phases, codes, chains := 0, map[canary.Phase]bool{}, map[string]bool{}, 0
	for i := range 300 {
		for _, s := range judged(odd(seed(1000 + i))) {
			phases[s.Release.Phase()] = true
			if s.Release.Stable != nil {
				releases++
			}
			for _, p := range s.Problems {
				codes[p.Code] = true
				chains = max(chains, len(p.Chain))
			}
		}
	}
	if releases < 30 || len(phases) < 5 || len(codes) < 8 || chains < 8 {
		t.Errorf("%d releases, phases %v, problems %v, the longest chain %d", releases, phases, codes, chains)
	}
}

func FuzzLease(f *testing.F) {
	for _, s := range []string{
		"", "null", "[]", "{}", `{"schema":1}`, `{"schema":2,"baseline":3}`, `{"schema":1,"baseline":-3}`, `{"schema":1,"baseline":1e99}`,
		`{"schema":1,"stable":"v1","canary":"v2","baseline":3,"desired":25,"target":{"stable":3,"canary":1},"set":{"stable":3,"canary":1},"changes":[{"command":"shift","by":"\u001b[2J"},null]}`,
		`{"schema":1,"stable":"v1","canary":"v2","baseline":3,"desired":100.01,"set":{"stable":9223372036854775807}}`,
		`{"schema":1,"stable":"v1","canary":"v2","baseline":3,"move":{"command":"promote","by":"ann\n","since":"2026-01-01T00:00:00Z","baking":true},"target":{"canary":3}}`,
	} {
		f.Add(s, "ann@laptop/x", int32(30))
	}
	base := odd([]byte("two sides"))
	f.Fuzz(func(t *testing.T, state, holder string, seconds int32) {
		l := &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: leasePrefix + "auth", Annotations: map[string]string{stateAnnotation: state}},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &metav1.MicroTime{Time: noon}},
		}
		got, ok := toLease(l)
		if !ok {
			t.Fatal("no Lease")
		}
		s := *base
		s.Services = []canary.Service{{Name: "auth", Selector: map[string]string{"app": "auth"}}}
		s.Deployments = []canary.Deployment{toDeployment(deployment("v1", 3)), toDeployment(deployment("v2", 1))}
		s.Leases = map[string]canary.Lease{"auth": got.at(noon)}
		shown(t, &s)
		if got.lease.Record == nil {
			return
		}
		if b, to := got.lease.Record.Baseline, got.lease.Record.Set; b < 0 || min(to.Stable, to.Canary) < 0 || max(to.Stable, to.Canary, b) > math.MaxInt32 {
			t.Fatalf("a record of a baseline of %d and %s", b, to)
		}
		if err := held(l, holder, noon, got.lease.Record); err != nil {
			t.Fatal(err)
		}
		again, _ := toLease(l)
		if a, b := fmt.Sprintf("%+v", got.lease.Record.Set), fmt.Sprintf("%+v", again.lease.Record.Set); a != b || again.lease.Record.Baseline != got.lease.Record.Baseline {
			t.Fatalf("written as %s it reads %s", a, b)
		}
	})
}

// FuzzEndpoints counts what serves by another way than the core does: a pod of a version that is ready in any endpoint that is
// not terminating, however many slices have it. Each byte is an endpoint: two bits each for its pod, whether it is ready,
// whether it terminates, and its slice.
func FuzzEndpoints(f *testing.F) {
	f.Add([]byte{0, 0, 1, 64, 2, 128})
	f.Add([]byte{0b00000100, 0b01000000, 0b00100001, 0b11110010})
	three := []*bool{nil, ptr(true), ptr(false), ptr(true)}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &canary.Snapshot{Services: []canary.Service{{Name: "auth", Selector: map[string]string{"app": "auth"}}}}
		for i, version := range []string{"v1", "v2", "v2"} {
			if i < 2 {
				s.Deployments = append(s.Deployments, toDeployment(deployment(version, 2)))
			}
			p := pod(fmt.Sprint(i))
			p.Labels = map[string]string{"app": "auth", "version": version}
			s.Pods = append(s.Pods, toPod(p))
		}
		stranger := pod("3")
		stranger.OwnerReferences = nil
		s.Pods = append(s.Pods, toPod(stranger))
		slices, serves := [4]*discoveryv1.EndpointSlice{}, [4]bool{}
		for i := range slices {
			slices[i] = slice(fmt.Sprint(i), "auth")
		}
		for _, b := range data {
			who, ready, leaving := b&3, three[b>>2&3], three[b>>4&3]
			to := slices[b>>6]
			to.Endpoints = append(to.Endpoints, discoveryv1.Endpoint{
				TargetRef:  &corev1.ObjectReference{Kind: "Pod", UID: types.UID(fmt.Sprint("uid-", who))},
				Conditions: discoveryv1.EndpointConditions{Ready: ready, Terminating: leaving},
			})
			if (ready == nil || *ready) && (leaving == nil || !*leaving) {
				serves[who] = true
			}
		}
		for _, sl := range slices {
			s.Endpoints = append(s.Endpoints, toEndpoints(sl)...)
		}
		n := map[bool]int{true: 1}
		r := canary.Discover(s, canary.Options{})[0]
		got := [3]int{r.Stable.Serving, r.Canary.Serving, r.Foreign}
		if want := [3]int{n[serves[0]], n[serves[1]] + n[serves[2]], n[serves[3]]}; got != want {
			t.Fatalf("stable, canary and foreign pods are %v, want %v", got, want)
		}
	})
}
