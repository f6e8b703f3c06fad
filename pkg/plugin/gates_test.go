package plugin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/kubectl-canary/kubectl-canary/internal/analysis"
)

func parsedGates(line string) (*gateOptions, *pflag.FlagSet, error) {
	o := &gateOptions{}
	flags := pflag.NewFlagSet("migrate", pflag.ContinueOnError)
	o.addFlags(flags)
	if err := flags.Parse(strings.Fields(line)); err != nil {
		return nil, nil, err
	}
	return o, flags, o.complete(flags)
}

// analysisFile writes a file with these lines behind its head.
func analysisFile(t *testing.T, body string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "analysis.yaml")
	if err := os.WriteFile(name, []byte("apiVersion: kubectl-canary/v1alpha1\nkind: Analysis\n"+body), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Each flag ends where it belongs, and leaves the others alone.
func TestGateFlags(t *testing.T) {
	type parsed struct {
		Policy     analysis.Policy
		From       analysis.Sources
		Prometheus *analysis.Settings
		Interval   time.Duration
	}
	share := func(x float64) *float64 { return &x }
	file := analysisFile(t, "bounds: {maxErrorRate: 2%, maxRestarts: 1, minRequests: 50, worseThanStable: none, maxLatency: {p50: 1s}}\nprometheus: {address: http://a, preset: istio}\n")
	for line, change := range map[string]func(*parsed){
		"":                         func(*parsed) {},
		"--max-error-rate 1%":      func(p *parsed) { p.Policy.MaxErrorRate = share(0.01) },
		"--max-restarts 3":         func(p *parsed) { p.Policy.MaxRestarts = 3 },
		"--min-requests 1":         func(p *parsed) { p.Policy.MinRequests = 1 },
		"--worse-than-stable 50%":  func(p *parsed) { p.Policy.WorseThanStable = share(0.5) },
		"--worse-than-stable none": func(p *parsed) { p.Policy.WorseThanStable = nil },
		"--probe /healthz:8080":    func(p *parsed) { p.From.Probe = &analysis.Probe{At: analysis.Place{Path: "/healthz", Port: "8080"}} },
		"--probe /":                func(p *parsed) { p.From.Probe = &analysis.Probe{At: analysis.Place{Path: "/"}} },
		"--scrape":                 func(p *parsed) { p.From.Scrape = &analysis.Scrape{} },
		"--scrape=/stats:9102":     func(p *parsed) { p.From.Scrape = &analysis.Scrape{At: analysis.Place{Path: "/stats", Port: "9102"}} },
		"--prometheus https://prometheus.example:9090/sub": func(p *parsed) { p.Prometheus = &analysis.Settings{Address: "https://prometheus.example:9090/sub"} },
		"--interval 1m": func(p *parsed) { p.Interval = time.Minute },
		"--max-latency p99=300ms --max-latency p50=20ms": func(p *parsed) {
			p.Policy.MaxLatency = []analysis.LatencyBound{{Quantile: 0.5, Max: 20 * time.Millisecond}, {Quantile: 0.99, Max: 300 * time.Millisecond}}
		},
		"--analysis " + file: func(p *parsed) {
			p.Policy.MaxErrorRate, p.Policy.MaxRestarts, p.Policy.MinRequests, p.Policy.WorseThanStable = share(0.02), 1, 50, nil
			p.Policy.MaxLatency = []analysis.LatencyBound{{Quantile: 0.5, Max: time.Second}}
			p.Prometheus = &analysis.Settings{Address: "http://a", Preset: "istio"}
		},
		"--max-error-rate 1% --max-restarts 0 --min-requests 100 --worse-than-stable 20% --max-latency p99=2s --prometheus http://b --analysis " + file: func(p *parsed) {
			p.Policy.MaxErrorRate = share(0.01)
			p.Policy.MaxLatency = []analysis.LatencyBound{{Quantile: 0.99, Max: 2 * time.Second}}
			p.Prometheus = &analysis.Settings{Address: "http://b", Preset: "istio"}
		},
	} {
		want := parsed{Policy: analysis.DefaultPolicy(), From: analysis.Sources{Usage: true}, Interval: 10 * time.Second}
		change(&want)
		o, _, err := parsedGates(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if diff := cmp.Diff(want, parsed{o.policy, o.from, o.prometheus, o.interval}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

// What cannot be meant is one line that names the flag, and never what a password may be in.
func TestWrongGateFlags(t *testing.T) {
	queries := analysisFile(t, "queries: [{name: queue, query: vector(1), max: 1}]\n")
	for line, want := range map[string]string{
		"--max-error-rate 1":                  "--max-error-rate: invalid share \"1\": want a percentage",
		"--max-error-rate 100%":               "want less than 100%",
		"--max-error-rate=":                   "--max-error-rate: invalid share",
		"--max-latency 300ms":                 "--max-latency: invalid latency",
		"--max-latency p99=1s,p50=1s":         "--max-latency: invalid latency",
		"--max-latency p9=1s --max-latency=x": "invalid latency \"x\"",
		"--worse-than-stable 20":              `or "none" to compare nothing`,
		"--max-restarts -1":                   "invalid --max-restarts -1",
		"--min-requests 0":                    "invalid --min-requests 0",
		"--probe healthz":                     "--probe: invalid page",
		"--scrape=/:0":                        `--scrape: invalid page "/:0": "0" is no port`,
		"--interval 0":                        "invalid --interval 0s",
		"--prometheus prometheus:9090":        "invalid address of Prometheus",
		"--prometheus http://u:secret@a":      "credentials",
		"--prometheus http://secret@a":        "credentials",
		"--prometheus http://a?token=secret":  "want no ?",
		"--prometheus http://a:secret":        "invalid address of Prometheus",
		"--analysis " + queries:               "has queries: say whom to ask",
		"--analysis none.yaml":                "none.yaml: no such file",
	} {
		_, _, err := parsedGates(line)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// A flag whose value may be left out is repeated so that it can be typed again.
func TestGatesTypedAgain(t *testing.T) {
	_, flags, err := parsedGates("--scrape --probe /healthz --max-latency p99=1s --max-latency p50=1s")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	flags.Visit(func(f *pflag.Flag) { got += repeat(f) })
	if want := " --max-latency p99=1s --max-latency p50=1s --probe /healthz --scrape=auto"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if again, _, err := parsedGates(got); err != nil || again.from.Scrape == nil {
		t.Errorf("%q: %v", got, err)
	}
}

// However many checks say no, and however wordy one is, the reason is one line: the first, and how many others.
func TestReasonOf(t *testing.T) {
	result := func(release, message string) gateResult {
		return gateResult{release, analysis.Result{Check: "error-rate", Message: message}}
	}
	all := []gateResult{result("auth", "5% failed"), result("chat", "6% failed"), result("users", "7% failed")}
	for n, want := range []string{
		"", "auth: error-rate: 5% failed", "auth: error-rate: 5% failed (and 1 more check)", "auth: error-rate: 5% failed (and 2 more checks)",
	} {
		if got := reasonOf(all[:n]); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	long := reasonOf([]gateResult{result("auth", strings.Repeat("é ", 1000)), all[1]})
	if n := utf8.RuneCountInString(long); n > 300 || !utf8.ValidString(long) || !strings.HasSuffix(long, "… (and 1 more check)") {
		t.Errorf("%d characters: %q", n, long)
	}
}

// A pause in which --probe cannot come to a verdict is refused before anything is asked, or where that depends on how many releases there
// are before anything is written; a person who approves may know better.
func TestProbesTooFew(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		names := []string{"auth", "chat", "users", "web", "shop", "mail"}
		for _, name := range names {
			a.release(name, 3, 1)
		}
		asked := len(a.requests)
		code, _, errOut := a.do("migrate --probe / --steps 25@1h,50@3s,100")
		if code != 1 || len(a.requests) != asked {
			t.Errorf("%d, %q", code, a.requests[asked:])
		}
		contains(t, "stderr", errOut, "error: --probe sends each version at most 48 requests in a pause of 3s, and --min-requests asks for 100: want a --pause of 7s or longer, ")
		code, _, errOut = a.do("migrate --probe / --pause 10s")
		if code != 1 || len(a.writes()) > 0 {
			t.Errorf("%d, %q", code, a.writes())
		}
		contains(t, "stderr", errOut, "error: --probe sends each version at most 66 requests in a pause of 10s, ", "want a --pause of 15s or longer")
		for _, line := range []string{"migrate --probe / --pause 15s --plan", "migrate --probe / --pause 3s --min-requests 20 --plan", "migrate --probe / --pause 0 --plan"} {
			if code, _, errOut := a.do(line); code != 0 {
				t.Errorf("%s: %d, %s", line, code, errOut)
			}
		}
		code, _, errOut = a.do("migrate --probe / --pause 3s --approve --plan")
		if code != 0 {
			t.Errorf("%d, %s", code, errOut)
		}
		contains(t, "stderr", errOut, "Warning: --probe sends each version at most ")
	})
}
