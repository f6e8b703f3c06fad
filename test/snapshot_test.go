package test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

// quiet is how long nothing must have happened for a namespace to be at rest: a pod is gone a second after it was deleted.
const quiet = 1500 * time.Millisecond

// snapshot: waits until the namespace is at rest, and remembers it for unchanged.
func cmdSnapshot(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: snapshot")
	}
	s := of(ts)
	h := s.record(ts)
	ts.Check(patience.Until(func() error { return h.Rest(quiet) }))
	s.mark = presentVersion(ts, s.namespace)
}

// unchanged [KIND...]: no object was written since the snapshot, at all or of these kinds: their resource versions are
// the same.
func cmdUnchanged(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if s.mark == 0 {
		ts.Fatalf("usage: snapshot, and later unchanged [KIND...]")
	}
	all, err := s.history.Sorted(context.Background())
	ts.Check(err)
	var written []string
	for _, e := range all {
		if e.Version > s.mark && (len(args) == 0 || slices.Contains(args, e.Kind)) {
			written = append(written, fmt.Sprintf("  %s %s (%s) by %s", e.Kind, e.Object.GetName(), e.Object.GetResourceVersion(), writer(e.Object)))
		}
	}
	if len(written) > 0 {
		ts.Fatalf("written since the snapshot:\n%s", strings.Join(written, "\n"))
	}
}

// writer is the manager of the newest entry of the managed fields.
func writer(o metav1.Object) string {
	name, at := "unknown", time.Time{}
	for _, m := range o.GetManagedFields() {
		if m.Time != nil && !m.Time.Time.Before(at) {
			name, at = m.Manager, m.Time.Time
		}
	}
	return name
}
