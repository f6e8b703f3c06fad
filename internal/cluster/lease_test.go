package cluster

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func record() *canary.Record {
	return &canary.Record{
		Schema: canary.RecordSchema, Stable: "v1", Canary: "v2", Others: []string{"v0"}, Baseline: 3, Desired: 1250,
		Target: canary.Split{Stable: 7, Canary: 1}, Set: canary.Split{Stable: 3, Canary: 1},
		Move:    &canary.Move{Command: "shift --to 12.5", By: "jane", Since: noon},
		Changes: []canary.Change{{Time: noon, By: "jane", To: 2500, After: canary.Split{Stable: 3, Canary: 1}, Command: "shift", Outcome: canary.Done}},
	}
}

func leaseOf(release string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leasePrefix + release}}
}

// What is written into a Lease comes out of it again.
func TestLeaseRoundTrip(t *testing.T) {
	l := leaseOf("auth")
	if err := held(l, "jane@laptop/x", noon, record()); err != nil {
		t.Fatal(err)
	}
	got, ok := toLease(l)
	want := canary.Lease{Holder: "jane@laptop/x", Since: noon, Until: noon.Add(leaseDuration), Renewed: noon, Record: record()}
	if !ok || got.release != "auth" {
		t.Fatalf("%+v, %t", got, ok)
	}
	if diff := cmp.Diff(want, got.lease); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if l.Labels[managedBy] != FieldManager {
		t.Errorf("not to be found by its label: %v", l.Labels)
	}
	if err := held(l, "", noon.Add(time.Minute), record()); err != nil {
		t.Fatal(err)
	}
	released, _ := toLease(l)
	if diff := cmp.Diff(canary.Lease{Record: record()}, released.at(noon.Add(time.Hour))); diff != "" {
		t.Errorf("released, -want +got:\n%s", diff)
	}
}

// Other tools' annotations and labels stay; how often the lock has changed hands is counted.
func TestHeldKeepsTheRest(t *testing.T) {
	l := leaseOf("auth")
	l.Labels, l.Annotations = map[string]string{"team": "a"}, map[string]string{"note": "b"}
	for range 3 {
		if err := held(l, "jane", noon, nil); err != nil {
			t.Fatal(err)
		}
		if err := held(l, "", noon, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := held(l, "joe", noon, nil); err != nil {
		t.Fatal(err)
	}
	if l.Labels["team"] != "a" || l.Annotations["note"] != "b" || *l.Spec.LeaseTransitions != 4 {
		t.Errorf("%+v", l)
	}
	if _, there := l.Annotations[stateAnnotation]; there {
		t.Error("a record where there is none")
	}
}

// A lock has run out by the server's time, whatever the time is here.
func TestExpiry(t *testing.T) {
	l := leaseOf("auth")
	if err := held(l, "jane", noon, nil); err != nil {
		t.Fatal(err)
	}
	named, _ := toLease(l)
	for after, expired := range map[time.Duration]bool{
		-time.Hour: false, 0: false, leaseDuration: false, leaseDuration + time.Millisecond: true, time.Hour: true,
	} {
		if got := named.at(noon.Add(after)); got.Expired != expired || got.Held() == expired {
			t.Errorf("%s after it was taken: %+v", after, got)
		}
	}
	holder := "somebody"
	named, _ = toLease(&coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: leasePrefix + "auth"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder},
	})
	if named.at(noon).Held() {
		t.Error("a lock that nobody renews is held for ever")
	}
}

// A record that cannot be read is no record, and the lock beside it counts all the same.
func TestUnreadableRecords(t *testing.T) {
	next, _ := json.Marshal(record())
	for _, state := range []string{
		"", "{", "null", "[]", `"text"`, "{}", `{"schema":1,"desired":"half"}`, `{"schema":1,"desired":101}`,
		strings.Replace(string(next), `"schema":1`, `"schema":2`, 1),
	} {
		l := leaseOf("auth")
		if err := held(l, "jane", noon, nil); err != nil {
			t.Fatal(err)
		}
		l.Annotations[stateAnnotation] = state
		if got, ok := toLease(l); !ok || got.lease.Record != nil || got.lease.Holder != "jane" {
			t.Errorf("%s: %+v, %t", state, got.lease, ok)
		}
	}
}

func TestOtherLeasesAreNoReleases(t *testing.T) {
	for _, name := range []string{"", "auth", "kubectl-canary.", "kubectl-canary", "my-kubectl-canary.auth"} {
		if got, ok := toLease(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}}); ok {
			t.Errorf("%q is the Lease of %q", name, got.release)
		}
	}
}

// A migration in a state that this version does not know takes nothing else of the record with it.
func TestMigrationOfALaterVersion(t *testing.T) {
	r := record()
	r.Migration = &canary.Migration{ID: "a", Steps: []canary.Step{{Weight: canary.Full}}, Phase: "Frozen"}
	l := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "kubectl-canary.auth"}}
	if err := held(l, "", noon, r); err != nil {
		t.Fatal(err)
	}
	read, _ := toLease(l)
	if diff := cmp.Diff(canary.Lease{Record: record()}, read.at(noon)); diff != "" {
		t.Error(diff)
	}
}
