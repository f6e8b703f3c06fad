package plugin

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// parsedMove is what a command line asks for; it gets no further than to the missing kubeconfig.
func parsedMove(t *testing.T, rollback bool, line string) *moveOptions {
	t.Helper()
	cmd := &cobra.Command{Use: "promote", SilenceErrors: true, SilenceUsage: true}
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}
	o := newMove(newConnection(cmd.PersistentFlags()), streams)
	o.ask.Rollback = rollback
	o.addFlags(cmd.Flags())
	cmd.RunE = o.complete
	cmd.SetArgs(strings.Fields(line))
	if err := cmd.ExecuteContext(context.Background()); err == nil || !strings.Contains(err.Error(), "no configuration found") {
		t.Fatalf("%s: %v", line, err)
	}
	return o
}

// Each flag ends where it belongs, and leaves the others alone.
func TestMoveFlags(t *testing.T) {
	type parsed struct {
		Ask                       canary.Ask
		Options                   canary.Options
		Names                     []string
		Selector                  string
		Timeout                   time.Duration
		OnFailure, DryRun, Reason string
		Format                    string
		Force                     bool
	}
	all := canary.Percent(100)
	for line, change := range map[string]func(*parsed){
		"":                       func(*parsed) {},
		"auth deploy/chat-v2":    func(p *parsed) { p.Names = []string{"auth", "deploy/chat-v2"} },
		"-l app=auth":            func(p *parsed) { p.Selector = "app=auth" },
		"--replicas 4":           func(p *parsed) { p.Ask.Replicas = 4 },
		"--max-surge 2":          func(p *parsed) { p.Ask.Surge = canary.Amount{Value: 2} },
		"--max-surge 50%":        func(p *parsed) { p.Ask.Surge = canary.Percent(50) },
		"--max-unavailable 10%":  func(p *parsed) { p.Ask.Unavailable = canary.Percent(10) },
		"--timeout 20s":          func(p *parsed) { p.Timeout = 20 * time.Second },
		"--timeout 0":            func(p *parsed) { p.Timeout = 0 },
		"--on-failure hold":      func(p *parsed) { p.OnFailure = "hold" },
		"--dry-run":              func(p *parsed) { p.DryRun = "client" },
		"--dry-run=server":       func(p *parsed) { p.DryRun = "server" },
		"--reason because":       func(p *parsed) { p.Reason = "because" },
		"--force":                func(p *parsed) { p.Force = true },
		"-o json":                func(p *parsed) { p.Format = "json" },
		"--version-label track":  func(p *parsed) { p.Options.VersionLabel = "track" },
		"--stable v1":            func(p *parsed) { p.Options.Stable = "v1" },
		"--canary v2":            func(p *parsed) { p.Options.Canary = "v2" },
		"rollback":               func(p *parsed) { p.Ask.Rollback, p.Ask.MoveSurge = true, &all },
		"rollback --max-surge 1": func(p *parsed) { p.Ask.Rollback, p.Ask.Surge = true, canary.Amount{Value: 1} },
	} {
		want := parsed{
			Ask:     canary.Ask{Surge: canary.Percent(25), Tolerance: 100},
			Timeout: 5 * time.Minute, OnFailure: "restore", DryRun: "none", Names: []string{},
		}
		change(&want)
		flags, isRollback := strings.CutPrefix(line, "rollback")
		o := parsedMove(t, isRollback, flags)
		got := parsed{
			Ask: o.ask, Options: o.choose.options, Names: o.choose.names, Selector: o.choose.selector, Timeout: o.timeout,
			OnFailure: o.onFailure, DryRun: o.dryRun, Reason: o.reason, Format: o.output.format, Force: o.force,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

// shift's own flags are seen in what is planned.
func TestShiftFlags(t *testing.T) {
	for line, want := range map[string]string{
		"--to 50":                              "3/1 (stable v1/canary v2) → 2/2, 50% of the traffic, baseline 3",
		"--to 50%":                             "→ 2/2, 50%",
		"--to 0":                               "→ 3/0, 0%",
		"--to 100":                             "→ 0/3, 100%",
		"--to 12.5 --exact --max-total 16":     "→ 7/1, 12.5%",
		"--to 10":                              "→ 3/1, 25%",
		"--to 40 --tolerance 10":               "→ 2/1, 33.33%",
		"--to 50 --replicas 8 --max-surge 50%": "→ 4/4, 50% of the traffic, baseline 8",
	} {
		in(t, func(t *testing.T, a *api) {
			a.release("auth", 3, 1)
			code, out, errOut := a.do("shift auth --dry-run " + line)
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("%s: %d, %q\n%swant %s", line, code, errOut, out, want)
			}
			if got := a.writes(); len(got) > 0 {
				t.Errorf("%s: it writes %q", line, got)
			}
		})
	}
}

// Where the weight cannot be had, it says what can, and what exactness would cost.
func TestExactWeightCosts(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 3, 1)
		_, _, errOut := a.do("shift auth --to 10 --dry-run")
		if !strings.Contains(errOut, "auth: 10% asked, 25% reachable with 4 pods; 10% needs 10 pods (--exact)\n") {
			t.Errorf("%q", errOut)
		}
		code, _, errOut := a.do("shift auth --to 1 --exact --dry-run")
		if code != 1 || !strings.Contains(errOut, "100 pods") {
			t.Errorf("%d, %q", code, errOut)
		}
	})
}
