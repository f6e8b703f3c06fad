package faults

import (
	"cmp"
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/witness"
)

// does runs `kubectl canary`, which has to end with the code and leave auth at the split.
func (s *scene) does(code int, at split, args ...string) ended {
	s.Helper()
	e := s.canary(append(args, "--settle", "0s")...)
	if got := s.splits()["auth"]; e.code != code || got != at {
		s.Errorf("exit code %d at %s, want %d at %s: %s", e.code, got, code, at, e)
	}
	return e
}

// keeps runs something and holds auth to a floor all the while.
func (s *scene) keeps(floor, ceiling int, do func()) {
	s.Helper()
	since := s.present()
	do()
	s.bounded(since, floor, ceiling)
}

// told holds the Events on the Service to what happened, in order: the command, and from where to where.
func (s *scene) told(want ...string) {
	s.Helper()
	events, err := cluster.client.CoreV1().Events(s.namespace).List(context.Background(), metav1.ListOptions{FieldSelector: "involvedObject.kind=Service,involvedObject.name=auth"})
	s.must(err)
	ours := slices.DeleteFunc(events.Items, func(e corev1.Event) bool { return e.Source.Component != "kubectl-canary" })
	slices.SortFunc(ours, func(a, b corev1.Event) int { // they were written within one second
		one, _ := witness.VersionOf(a.ResourceVersion)
		two, _ := witness.VersionOf(b.ResourceVersion)
		return cmp.Compare(one, two)
	})
	var got []string
	for _, e := range ours {
		command, _, _ := strings.Cut(e.Message, " by ")
		_, splits, _ := strings.Cut(e.Message, ": ")
		splits, _, _ = strings.Cut(splits, " (")
		got = append(got, command+": "+splits)
	}
	if !slices.Equal(got, want) {
		s.Errorf("the Events tell %q, want %q", got, want)
	}
}
