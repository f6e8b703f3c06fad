package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/doctor"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// FuzzFindings examines odd namespaces, and prints what is found, and their history.
func FuzzFindings(f *testing.F) {
	for i := range 8 {
		f.Add(seed(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, allowed uint8) {
		all := oddNamespace(data)
		s := snapshotOf(all)
		examined(t, all, s, allowed)
		remembered(t, all, s)
	})
}

// examined is what `doctor` prints; each bit of allowed is a permission.
func examined(t *testing.T, all *oddObjects, s *canary.Snapshot, allowed uint8) {
	t.Helper()
	p := &doctor.Patient{Snapshot: s, Releases: canary.Discover(s, canary.Options{All: true}), Weights: []canary.Weight{100, 2500, 5000},
		Ask: canary.Ask{Surge: canary.Percent(25), Tolerance: 100}, NamedRoles: allowed&1 > 0,
		Objects: doctor.Objects{Services: pointers(all.Services), Deployments: pointers(all.Deployments), Slices: pointers(all.Slices),
			Pods: pointers(all.Pods), AllPods: pointers(all.Pods), Budgets: pointers(all.Budgets), Claims: pointers(all.Claims),
			Nodes: pointers(all.Nodes), Allowed: map[canary.Permission]bool{}, User: "ann"}}
	for i, permission := range doctor.Permissions() {
		p.Allowed[permission] = allowed>>(i%8)&1 > 0
	}
	var found []printer.Finding
	for _, finding := range doctor.Examine(p) {
		found = append(found, printer.Finding(finding))
	}
	var names []string
	for _, r := range p.Releases {
		names = append(names, r.Name)
	}
	command := func(next, namespace string) string { return "kubectl " + next + " -n " + namespace }
	for _, wide := range []bool{false, true} {
		var out strings.Builder
		if err := (printer.Findings{Namespace: ns, Wide: wide, Command: command}).Print(&out, found, names); err != nil {
			t.Fatal(err)
		}
		printable(t, "a finding", out.String())
	}
	machine(t, printer.NewFindingList(found, ns, command))
}

// remembered is what `history` prints.
func remembered(t *testing.T, all *oddObjects, s *canary.Snapshot) {
	t.Helper()
	var notices []canary.Notice
	for i := range all.Events {
		notices = append(notices, toNotice(&all.Events[i]))
	}
	changes := canary.History(s.Leases, notices)
	var out strings.Builder
	if err := (printer.History{Now: noon, Wide: true}).Print(&out, changes); err != nil {
		t.Fatal(err)
	}
	printable(t, "the history", out.String())
	if n := strings.Count(out.String(), "\n"); n != len(changes)+1 {
		t.Fatalf("%d lines of %d changes:\n%s", n, len(changes), out.String())
	}
	machine(t, printer.NewChangeList(ns, changes))
}

// machine holds a list for programs to be JSON that a terminal may show.
func machine(t *testing.T, list any) {
	t.Helper()
	var out strings.Builder
	if err := printer.JSON(&out, list); err != nil {
		t.Fatal(err)
	}
	printable(t, "JSON", out.String())
	if !json.Valid([]byte(out.String())) {
		t.Fatalf("this is no JSON: %s", out.String())
	}
}
