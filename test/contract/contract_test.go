package contract

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// sound is the output that internal/printer is held to.
func sound(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../internal/printer/testdata/contract.json.golden")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The schema describes what is printed, and nothing else.
func TestSchema(t *testing.T) {
	schema, err := Read("../../docs/releaselist.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Check([]byte(sound(t))); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"another version", "kubectl-canary/v1alpha1", "kubectl-canary/v1"},
		{"another kind", `"ReleaseList"`, `"List"`},
		{"a field left out", `"baseline": 3,`, ``},
		{"a field more", `"baseline": 3,`, `"baseline": 3, "base": 3,`},
		{"a field more, further down", `"dark": 0,`, `"dark": 0, "lit": 1,`},
		{"a string for a number", `"actual": 25,`, `"actual": "25",`},
		{"more than everything", `"actual": 25,`, `"actual": 2500,`},
		{"less than nothing", `"replicas": 3,`, `"replicas": -3,`},
		{"half a pod", `"replicas": 3,`, `"replicas": 2.5,`},
		{"null for a list", `"others": [],`, `"others": null,`},
		{"null for a number", `"replicas": 3,`, `"replicas": null,`},
		{"an unknown phase", `"phase": "Canary"`, `"phase": "Fine"`},
		{"an unknown severity", `"severity": "error"`, `"severity": "fatal"`},
		{"an unknown outcome", `"outcome": "Done"`, `"outcome": "done"`},
		{"a time that is none", "2026-01-01T11:56:00Z", "today"},
		{"two documents", "", "{}"},
	} {
		document := strings.Replace(sound(t), c.old, c.new, 1)
		if c.name != "two documents" && (document == sound(t) || !json.Valid([]byte(document))) {
			t.Fatalf("%s: the change does not make another document", c.name)
		}
		if schema.Check([]byte(document)) == nil {
			t.Errorf("%s passes", c.name)
		}
	}
	for _, c := range []struct{ name, old, new string }{
		{"null", `"baseline": 3,`, `"baseline": null,`},
		{"no phase", `"phase": "Canary"`, `"phase": ""`},
		{"a fraction", `"actual": 25,`, `"actual": 33.33,`},
	} {
		if err := schema.Check([]byte(strings.Replace(sound(t), c.old, c.new, 1))); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
