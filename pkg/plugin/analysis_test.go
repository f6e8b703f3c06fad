package plugin

import (
	"strings"
	"testing"
)

// A file is checked without a cluster.
func TestAnalysisCheck(t *testing.T) {
	good := analysisFile(t, "bounds: {maxErrorRate: 1%}\n")
	if code, out, errOut := execute("analysis", "--check", good); code != 0 || out != good+": OK\n" || errOut != "" {
		t.Errorf("%d, %q, %q", code, out, errOut)
	}
	for _, c := range []struct{ args, want string }{
		{"", "error: say which file to check with --check (see 'kubectl canary analysis --help')"},
		{"--check none.yaml", "none.yaml: no such file"},
		{"--check " + analysisFile(t, "bounds:\n  maxErrorRate: 1\n"), "analysis.yaml: line 4: bounds.maxErrorRate: invalid share"},
		{"--check " + analysisFile(t, "queries: [{name: a, query: \"\x1b[2J\", max: 1}]\n"), "control characters"},
		{"--window 0 --check " + good, "invalid --window 0s"},
		{"a -l b=c --check " + good, "a NAME cannot be given with a selector"},
	} {
		code, out, errOut := execute(append([]string{"analysis"}, strings.Fields(c.args)...)...)
		if code != 1 || out != "" || !strings.Contains(errOut, c.want) || !strings.HasPrefix(errOut, "error: ") || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: %d, %q, %q", c.args, code, out, errOut)
		}
	}
}

// With a NAME it shows what would be asked, with the pods there are.
func TestAnalysisOfARelease(t *testing.T) {
	file := analysisFile(t, `
prometheus: {preset: istio}
queries:
- name: queue
  query: |
    sum(queue{namespace="{{.Namespace}}",
      pod=~"{{.Pods}}"}) # {{- .Window}}
  max: 1
`)
	file = strings.TrimSpace(file)
	in(t, func(t *testing.T, a *api) {
		a.release("auth", 2, 0)
		code, out, errOut := a.do("analysis auth --window 30s --check " + file)
		want := []string{
			`auth v1, requests:
  sum by (response_code) (increase(istio_requests_total{namespace="messenger",pod=~"auth-v1-`,
			`,reporter="destination"}[30s]))`,
			"\nauth v1, latency:\n", `
auth v1, queue:
  sum(queue{namespace="messenger",
    pod=~"auth-v1-`, `}) #30s

auth v2, requests:
  not asked: there are no pods to ask about

auth v2, queue:
  not asked: there are no pods to ask about

` + file + ": OK\n",
		}
		rest := out
		for _, w := range want {
			var found bool
			if _, rest, found = strings.Cut(rest, w); !found {
				t.Fatalf("%d, %s\n%s\nwithout %q", code, errOut, out, w)
			}
		}
		if code != 0 || rest != "" || len(a.writes()) > 0 {
			t.Errorf("%d, %q, %q", code, rest, errOut)
		}
		if code, _, errOut := a.do("analysis nobody --check " + file); code != 1 || !strings.Contains(errOut, "nobody") {
			t.Errorf("%d, %q", code, errOut)
		}
	})
}
