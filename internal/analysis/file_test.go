package analysis

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const head = "apiVersion: kubectl-canary/v1alpha1\nkind: Analysis\n"

func TestFile(t *testing.T) {
	share := func(x float64) *float64 { return &x }
	a, err := ParseFile([]byte(head + `
bounds:
  maxErrorRate: 0.5%
  maxLatency: {p99: 300ms, p50: 20ms}
  worseThanStable: 10%
  minRequests: 500
  maxRestarts: 1
  maxFlaps: 0
  maxNotReady: 1%
  maxWarnings: 7
  worseUsage: 100%
prometheus:
  address: https://prometheus.example/sub
  preset: grpc
  podLabel: kubernetes_pod_name
  namespaceLabel: ns
  tokenFile: /run/token
  timeout: 3s
queries:
- name: queue
  query: sum(queue{pod=~"{{.Pods}}"})
  unit: messages
  max: 100
  min: -1
- name: hits
  query: |
    sum(hits{namespace="{{.Namespace}}"})
  worseThanStable: 5%
  minDifference: 2
  better: higher
`))
	if err != nil {
		t.Fatal(err)
	}
	got := DefaultPolicy()
	if err := a.Apply(&got); err != nil {
		t.Fatal(err)
	}
	want := Policy{
		MaxErrorRate: share(.005), WorseThanStable: share(.1), MinRequests: 500, MaxRestarts: 1, MaxFlaps: 0, MaxNotReady: .01, MaxWarnings: 7, WorseUsage: 1,
		MaxLatency: []LatencyBound{{.5, 20 * time.Millisecond}, {.99, 300 * time.Millisecond}},
		Queries: []Query{
			{Name: "queue", Unit: "messages", Max: share(100), Min: share(-1)},
			{Name: "hits", Worse: share(.05), Least: 2, MoreIsBetter: true},
		},
	}
	if err := a.Apply(&got); err != nil || len(got.Queries) != 2 {
		t.Errorf("applied again, it has %d queries, %v", len(got.Queries), err)
	}
	texts := []string{`sum(queue{pod=~"{{.Pods}}"})`, "sum(hits{namespace=\"{{.Namespace}}\"})\n"}
	for i := range got.Queries {
		if got.Queries[i].Text.Text != texts[i] {
			t.Errorf("%q", got.Queries[i].Text.Text)
		}
		got.Queries[i].Text = Template{}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Template{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	settings := &Settings{Address: "https://prometheus.example/sub", Preset: "grpc", PodLabel: "kubernetes_pod_name", NamespaceLabel: "ns", TokenFile: "/run/token", Timeout: "3s"}
	if diff := cmp.Diff(settings, a.Prometheus); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a file does not say stays as it was.
func TestFileSaysNothing(t *testing.T) {
	for _, text := range []string{head, head + "bounds: {}\nqueries: []\n", head + "bounds: {maxErrorRate: ~, maxRestarts: null}\n"} {
		a, err := ParseFile([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := DefaultPolicy()
		if err := a.Apply(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(DefaultPolicy(), got, cmp.AllowUnexported(Template{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// What is wrong is said in one line, with the line and the field.
func TestWrongFile(t *testing.T) {
	query := "queries:\n- name: a\n  query: x\n  max: 1\n"
	for text, want := range map[string]string{
		"":                 "the file is empty",
		"# nothing\n":      "the file is empty",
		"a: [":             "line 1: ",
		"kind: Analysis\n": "want apiVersion: kubectl-canary/v1alpha1 and kind: Analysis",
		strings.Replace(head, "v1alpha1", "v1", 1): "want apiVersion: kubectl-canary/v1alpha1",
		"- a\n":                           "line 1: ",
		head + "---\nkind: Analysis\n":    "want one document",
		head + "bound: {}\n":              "line 3: unknown field bound",
		head + "bounds:\n  maxErrors: 1%": "line 4: unknown field maxErrors",
		head + "bounds:\n  maxRestarts: 1\n  maxRestarts: 2\n":               `line 5: bounds.maxRestarts: mapping key "maxRestarts" already defined at line 4`,
		head + "bounds:\n  maxRestarts: x\n":                                 "line 4: bounds.maxRestarts: invalid number",
		head + "bounds:\n  maxRestarts: 1.5\n":                               "line 4: bounds.maxRestarts: invalid number",
		head + "bounds:\n  maxRestarts: -1\n":                                "line 4: bounds.maxRestarts: invalid number -1: want at least 0",
		head + "bounds:\n\n  minRequests: 0\n":                               "line 5: bounds.minRequests: invalid number 0: want at least 1",
		head + "bounds:\n  maxErrorRate: 1\n":                                `line 4: bounds.maxErrorRate: invalid share "1": want a percentage`,
		head + "bounds:\n  maxErrorRate: 100%\n":                             "line 4: bounds.maxErrorRate: invalid share",
		head + "bounds:\n  maxNotReady: -1%\n":                               "line 4: bounds.maxNotReady",
		head + "bounds:\n  worseUsage: a lot\n":                              "line 4: bounds.worseUsage",
		head + "bounds: {maxRestarts: 0,\n  worseThanStable: 20}\n":          "line 4: bounds.worseThanStable",
		head + "bounds:\n  maxLatency:\n    p50: 1s\n    99: 1s\n":           `line 6: bounds.maxLatency.99: invalid latency "99=1s"`,
		head + "bounds:\n  maxLatency: {p99.9: 0s}\n":                        "line 4: bounds.maxLatency.p99.9",
		head + "bounds:\n  maxLatency: {p99: 1s, p99.0: 2s}\n":               "line 4: bounds.maxLatency: p99 is given twice",
		head + "prometheus:\n  address: prom:9090\n":                         "line 4: prometheus.address: invalid address",
		head + "prometheus:\n  address: http://u:secret@prom\n":              "line 4: prometheus.address: the address of Prometheus has credentials",
		head + "prometheus:\n  preset: linkerd\n":                            `line 4: prometheus.preset: invalid preset "linkerd": want one of grpc, http, istio, none`,
		head + "prometheus:\n  podLabel: a-b\n":                              "line 4: prometheus.podLabel",
		head + "prometheus:\n  namespaceLabel: \"1\"\n":                      "line 4: prometheus.namespaceLabel",
		head + "prometheus:\n  timeout: 3\n":                                 "line 4: prometheus.timeout",
		head + "prometheus:\n  password: secret\n":                           "line 4: unknown field password",
		head + query + "- name: a\n  query: y\n  max: 1\n":                   `line 7: queries[1].name: "a" is there twice`,
		head + "queries:\n- query: x\n  max: 1\n":                            `line 4: queries[0].name: invalid name ""`,
		head + "queries:\n- name: A b\n  query: x\n  max: 1\n":               "line 4: queries[0].name: invalid name",
		head + "queries:\n- name: error-rate\n  query: x\n  max: 1\n":        "that is always there",
		head + "queries:\n- name: probe-latency-p9\n  query: x\n  max: 1\n":  "that is always there",
		head + "queries:\n- name: a\n  max: 1\n":                             "line 4: queries[0].query: the query is empty",
		head + "queries:\n- name: a\n  query: x{a=\"{{.Foo}}\"}\n  max: 1\n": "line 5: queries[0].query: ",
		head + "queries:\n- name: a\n  query: x\n":                           "want max, min or worseThanStable",
		head + query + "  min: 2\n":                                          "line 7: queries[0].min: it is more than max",
		head + query + "  min: .nan\n":                                       "line 7: queries[0].min: want a number",
		head + strings.Replace(query, "max: 1", "max: .inf", 1):              "line 6: queries[0].max: want a number",
		head + strings.Replace(query, "max: 1", "max: much", 1):              "line 6: queries[0].max: cannot unmarshal",
		head + query + "  better: more\n":                                    "line 7: queries[0].better: invalid \"more\"",
		head + query + "  worseThanStable: none\n":                           "line 7: queries[0].worseThanStable",
		head + query + "  minDifference: -1\n":                               "line 7: queries[0].minDifference",
	} {
		_, err := ParseFile([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s\n%v, want %s", text, err, want)
		}
	}
}
