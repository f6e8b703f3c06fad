package printer

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/test/contract"
)

// findings are one of each severity, the last of the namespace. A release has only an info, and another none.
func findings() []Finding {
	return []Finding{
		{"auth", canary.Problem{Code: "Paused", Severity: canary.Error, Object: "Deployment/auth-v1", Message: "Deployment auth-v1 is paused", Next: []string{"rollout resume deployment/auth-v1"}}},
		{"auth", canary.Problem{Code: "NoDrain", Severity: canary.Warning, Object: "Service/auth", Message: "pods stop\x1b[2J hastily", Next: []string{"patch one", "patch two"}}},
		{"chat", canary.Problem{Code: "ReplicasOwned", Severity: canary.Info, Object: "Deployment/chat-v1", Message: "terraform has set the replicas"}},
		{"", canary.Problem{Code: "NotAllowed", Severity: canary.Warning, Object: "Namespace/messenger", Message: "jane may not", Next: []string{"create rolebinding"}}},
	}
}

func TestFindings(t *testing.T) {
	for file, table := range map[string]Findings{
		"findings":            {},
		"findings-color":      {Style: Style{Color: true}},
		"findings-wide":       {Wide: true},
		"findings-no-headers": {Wide: true, NoHeaders: true},
	} {
		var out strings.Builder
		table.Namespace, table.Command = "messenger", command
		if err := table.Print(&out, findings(), []string{"auth", "chat", "users"}); err != nil {
			t.Fatal(err)
		}
		golden(t, file, out.String())
	}
}

// Without any finding there is no table.
func TestNoFindings(t *testing.T) {
	var out strings.Builder
	if err := (Findings{Command: command}).Print(&out, nil, []string{"auth"}); err != nil || out.String() != "auth: nothing stands in the way of a shift\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}

// Who may not move anything is not told that nothing stands in the way.
func TestNobodyIsWellWhoMayNotMove(t *testing.T) {
	var out strings.Builder
	all := []Finding{{"", canary.Problem{Code: "NotAllowed", Severity: canary.Error, Object: "Namespace/messenger"}}}
	if err := (Findings{Command: command}).Print(&out, all, []string{"auth"}); err != nil || strings.Contains(out.String(), "auth") {
		t.Errorf("%v, %q", err, out.String())
	}
}

func TestFindingList(t *testing.T) {
	schema, err := contract.Read("../../docs/findinglist.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for file, all := range map[string][]Finding{"findings.json": findings(), "no-findings.json": nil} {
		list := NewFindingList(all, "messenger", command)
		var out strings.Builder
		if err := JSON(&out, list); err != nil {
			t.Fatal(err)
		}
		if err := schema.Check([]byte(out.String())); err != nil {
			t.Error(err)
		}
		golden(t, file, out.String())
	}
	want := []string{"deployment/auth-v1", "service/auth", "deployment/chat-v1", "namespace/messenger"}
	if got := NewFindingList(append(findings(), findings()[0]), "messenger", command).Names(); !slices.Equal(got, want) {
		t.Errorf("names: %q, want %q", got, want)
	}
}
