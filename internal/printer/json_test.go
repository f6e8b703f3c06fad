package printer

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/test/contract"
)

// asJSON is what `-o json` prints, and holds it against the schema.
func asJSON(t *testing.T, all ...Status) string {
	t.Helper()
	var out strings.Builder
	if err := JSON(&out, NewReleaseList(all, command)); err != nil {
		t.Fatal(err)
	}
	valid(t, []byte(out.String()))
	return out.String()
}

func valid(t *testing.T, document []byte) {
	t.Helper()
	holds(t, "releaselist", document)
}

// holds compares a document with a schema.
func holds(t *testing.T, schemaName string, document []byte) {
	t.Helper()
	schema, err := contract.Read("../../docs/" + schemaName + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Check(document); err != nil {
		t.Error(err)
	}
}

// The machine contract of docs/design.md §7: fields are only added. A change of these files is a change of the contract.
func TestContract(t *testing.T) {
	golden(t, "contract.json", asJSON(t, messenger()...))
	var out strings.Builder
	if err := YAML(&out, NewReleaseList(messenger(), command)); err != nil {
		t.Fatal(err)
	}
	golden(t, "contract.yaml", out.String())
	document, err := yaml.YAMLToJSON([]byte(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, document)
}

// weight decodes the weight of the only item without our own types.
func weight(t *testing.T, s Status) map[string]any {
	t.Helper()
	var list struct {
		Items []struct{ Weight map[string]any }
	}
	if err := json.Unmarshal([]byte(asJSON(t, s)), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items[0].Weight
}

func TestWeightsAreNumbersOrNull(t *testing.T) {
	broken := recorded(release("auth", 3, 1), 2500, canary.Split{Stable: 3, Canary: 1})
	broken.Stable.Serving, broken.Canary.Serving = 0, 0
	unknown := release("auth", 3, 1)
	unknown.Others, unknown.Stable, unknown.Canary = []canary.Version{*unknown.Stable, *unknown.Canary}, nil, nil
	for _, c := range []struct {
		name    string
		release canary.Release
		want    map[string]any
	}{
		{"recorded", recorded(release("auth", 3, 1), 2500, canary.Split{Stable: 3, Canary: 1}), map[string]any{"desired": 25.0, "actual": 25.0, "reachable": 25.0}},
		{"decimals", recorded(release("auth", 7, 1), 1250, canary.Split{Stable: 2, Canary: 1}), map[string]any{"desired": 12.5, "actual": 12.5, "reachable": 33.33}},
		{"nothing recorded", release("auth", 3, 1), map[string]any{"desired": nil, "actual": 25.0, "reachable": nil}},
		{"nothing serves", broken, map[string]any{"desired": 25.0, "actual": nil, "reachable": 25.0}},
		{"no roles", unknown, map[string]any{"desired": nil, "actual": nil, "reachable": nil}},
	} {
		if diff := cmp.Diff(c.want, weight(t, Status{Release: c.release})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// What is not there is null or an empty list, never left out: a program need not ask twice.
func TestNothingIsLeftOut(t *testing.T) {
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(asJSON(t, Status{Release: canary.Release{Name: "external", Namespace: "n"}})), &list); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"namespace": "n", "name": "external", "services": []any{}, "phase": "",
		"weight": map[string]any{"desired": nil, "actual": nil, "reachable": nil}, "baseline": nil, "stable": nil, "canary": nil,
		"others": []any{}, "foreignEndpoints": 0.0, "drain": nil, "problems": []any{}, "lastChange": nil, "migration": nil,
	}
	if diff := cmp.Diff(want, list.Items[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A write says how it ended; `status` does not.
func TestOutcome(t *testing.T) {
	if s := asJSON(t, Status{Release: release("auth", 3, 1)}); strings.Contains(s, "outcome") {
		t.Error("an outcome without a write")
	}
	if s := asJSON(t, Status{Release: release("auth", 3, 1), Outcome: canary.Restored}); !strings.Contains(s, `"outcome": "Restored"`) {
		t.Errorf("no outcome in %s", s)
	}
}

// No release is an empty list, not null.
func TestEmptyList(t *testing.T) {
	want := "{\n    \"apiVersion\": \"kubectl-canary/v1alpha1\",\n    \"kind\": \"ReleaseList\",\n    \"items\": []\n}\n"
	if got := asJSON(t); got != want {
		t.Errorf("got %s", got)
	}
}
