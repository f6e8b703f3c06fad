package canary

import (
	"testing"
	"time"
)

func TestConflictErrors(t *testing.T) {
	for want, err := range map[string]error{
		`replicas of deployment "auth-v1" were changed from 3 to 5 meanwhile; its managed fields do not say by whom`: &ConflictError{Deployment: "auth-v1", Want: 3, Found: 5},
		`replicas of deployment "auth-v1" were changed from 3 to 5 meanwhile by kubectl (Update, subresource scale) at 2026-01-01T12:00:00Z`: &ConflictError{
			Deployment: "auth-v1", Want: 3, Found: 5, Seen: noon.Add(time.Second),
			Writer: Writer{Manager: "kubectl", Operation: "Update", Subresource: "scale", At: noon.In(time.FixedZone("", 3600))},
		},
		`replicas of deployment "auth-v1" were changed from 3 to 5 meanwhile by HorizontalPodAutoscaler auth, as kube-controller-manager (Update, subresource scale), seen at 2026-01-01T12:00:00Z`: &ConflictError{
			Deployment: "auth-v1", Want: 3, Found: 5, Actor: Actor{Name: "HorizontalPodAutoscaler auth"}, Seen: noon,
			Writer: Writer{Manager: "kube-controller-manager", Operation: "Update", Subresource: "scale"},
		},
		`replicas of deployment "auth-v1" were changed from 3 to 0 meanwhile by helm (Apply)`:    &ConflictError{Deployment: "auth-v1", Want: 3, Writer: Writer{Manager: "helm", Operation: "Apply"}, Actor: Actor{Name: "helm"}},
		`replicas of deployment "auth-v1" are no longer 3: somebody else changed them meanwhile`: &ConflictError{Deployment: "auth-v1", Want: 3, Found: -1},
		`deployment "auth-v1" was deleted meanwhile`:                                             &ConflictError{Deployment: "auth-v1", Gone: true, Found: -1},
		`deployment "auth-v1" was deleted and created again meanwhile by helm (Update)`: &ConflictError{
			Deployment: "auth-v1", Replaced: true, Writer: Writer{Manager: "helm", Operation: "Update"},
		},

		"release \"auth\" is being moved by ann (`promote`, for 1m3s)": &LockedError{Release: "auth", Holder: "ann", Command: "promote", Age: 63*time.Second + 400*time.Millisecond},
		`release "auth" is being moved by ann`:                         &LockedError{Release: "auth", Holder: "ann"},
		"release \"auth\" was taken over by bob (`rollback`, for 2s)":  &LockedError{Release: "auth", Holder: "bob", Command: "rollback", Age: 2 * time.Second, Lost: true},
		`release "auth" is being moved by ann; if that command is gone, its lock runs out in 12s, and a rollback need not wait`: &LockedError{
			Release: "auth", Holder: "ann", Left: 12 * time.Second,
		},
		`release "auth" was moved by another operator meanwhile: run the command again`: &LockedError{Release: "auth"},
	} {
		if err.Error() != want {
			t.Errorf("\n got %s\nwant %s", err, want)
		}
	}
}

func TestLockedBy(t *testing.T) {
	l := Lease{Holder: "ann", Since: noon.Add(-time.Minute), Until: noon.Add(20 * time.Second), Record: &Record{Move: &Move{Command: "promote"}}}
	want := LockedError{Release: "auth", Holder: "ann", Command: "promote", Age: time.Minute, Left: 20 * time.Second}
	if got := l.LockedBy("auth", noon); *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	// What is recorded of a move that has ended says nothing of this one.
	l.Record.Move = nil
	if got := l.LockedBy("auth", noon); got.Command != "" {
		t.Errorf("got %+v", *got)
	}
}

func TestHeld(t *testing.T) {
	for lease, want := range map[Lease]bool{{}: false, {Holder: "ann"}: true, {Holder: "ann", Expired: true}: false, {Expired: true}: false} {
		if got := lease.Held(); got != want {
			t.Errorf("%+v: held is %v", lease, got)
		}
	}
}

// What programs get of a conflict: when it happened, or else was seen, and what mends it.
func TestConflictProblem(t *testing.T) {
	e := ConflictError{Deployment: "auth-v1", Want: 3, Found: 5, Seen: noon, Actor: Actor{Name: "x", Fix: "let it be", Next: []string{"delete x"}}}
	p := e.Problem()
	if p.Object != "Deployment/auth-v1" || p.Message != e.Error()+"; let it be" || !p.Since.Equal(noon) || len(p.Next) != 1 {
		t.Errorf("got %+v", p)
	}
	e.At = noon.Add(-time.Hour)
	if p := e.Problem(); !p.Since.Equal(e.At) {
		t.Errorf("got %+v", p)
	}
}
