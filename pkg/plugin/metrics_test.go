package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// metered is a release whose pods run, and count their requests: 100 and 20 more with each reading, of which v2 fails a fifth.
func metered(a *api, restarts int32) {
	a.release("auth", 1, 1)
	for _, name := range []string{"auth-v1-0", "auth-v2-0"} {
		a.put("pods", runningPod(name, restarts))
	}
	var v1, v2 atomic.Int64
	a.beyond = func(path string) *http.Response {
		switch {
		case strings.Contains(path, "/auth-v1-0:8001/proxy/metrics"):
			n := v1.Add(100)
			return text(200, fmt.Sprintf("http_requests_total{code=\"200\"} %d\n", n)+latencies(n, 0))
		case strings.Contains(path, "/auth-v2-0:8001/proxy/metrics"):
			n := v2.Add(20)
			return text(200, fmt.Sprintf("http_requests_total{code=\"200\"} %d\nhttp_requests_total{code=\"503\"} %d\n", n-n/5, n/5)+latencies(n, n/2))
		case strings.Contains(path, "/proxy/health"):
			return text(200, "ok")
		case strings.HasPrefix(path, "/apis/metrics.k8s.io/"):
			return text(200, `{"items":[{"metadata":{"name":"auth-v1-0"},"containers":[{"name":"app","usage":{"cpu":"12m","memory":"32Mi"}}]}]}`)
		}
		return nil
	}
}

func latencies(all, slow int64) string {
	return fmt.Sprintf(`# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} %d
http_request_duration_seconds_bucket{le="1"} %d
http_request_duration_seconds_bucket{le="+Inf"} %d
http_request_duration_seconds_sum 1
http_request_duration_seconds_count %d
`, all-slow, all, all, all)
}

func text(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader(body))}
}

func runningPod(name string, restarts int32) *corev1.Pod {
	yes := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), Labels: map[string]string{"app": name[:4], "version": name[5:7]},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Controller: &yes}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8001}}}}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Ready: true, RestartCount: restarts}},
		},
	}
}

func TestMetrics(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		metered(a, 3)
		began := time.Now()
		code, out, errOut := a.do("metrics --window 5s -o json")
		if took := time.Since(began); code != 0 || took != 5*time.Second {
			t.Fatalf("%d after %s\n%s", code, took, errOut)
		}
		var list printer.MetricsList
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != 2 || len(list.Gaps) != 0 {
			t.Fatal(out)
		}
		v1, v2 := list.Items[0], list.Items[1]
		if v1.Role != "stable" || v1.Requests.Total != 100 || v1.Requests.PerSecond != 20 || *v1.Requests.ErrorShare != 0 || v1.Restarts != 3 ||
			v1.Life.Restarts != 0 || v1.Seconds != 5 || *v1.Weight != 5000 || *v1.Share != 8333 || v1.Usage.CPU != 0.012 {
			t.Errorf("v1: %s", out)
		}
		if v2.Role != "canary" || v2.Requests.Total != 20 || *v2.Requests.Errors != 4 || *v2.Requests.ErrorShare != 2000 || *v2.Requests.P50 != 0.1 ||
			*v2.Requests.P99 != 0.982 || *v2.Share != 1667 || v2.Usage != nil || v2.Probes != nil {
			t.Errorf("v2: %s", out)
		}
	})
}

func TestMetricsTable(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		metered(a, 0)
		code, out, errOut := a.do("metrics auth --window 4s --probe /health:8001")
		const want = `SERVICE   VERSION   PODS   WEIGHT   SHARE    REQ/S   ERRORS   P50     P99     CPU   MEMORY   RESTARTS   PROBES   PROBE-ERRORS   PROBE-P50   PROBE-P99
auth      v1        1/1    50%      83.33%   25      0%       50ms    99ms    12m   32Mi     0          `
		if code != 0 || !strings.HasPrefix(out, want) || !strings.Contains(out, "16.67%") || errOut != "watching the pods for 4s\n" {
			t.Errorf("%d, %q\n%s", code, errOut, out)
		}
		for _, source := range []string{"requests: scrape: http_request_duration_seconds, http_requests_total, over 4s", "CPU and memory: metrics.k8s.io", "probes: probes of /health:8001"} {
			if !strings.Contains(out, "\n"+source) {
				t.Errorf("does not say %q:\n%s", source, out)
			}
		}
	})
}

// Without the rights nothing is asked that would be denied, and it is said what they are for.
func TestMetricsNotAllowed(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		metered(a, 0)
		a.denied = []string{"proxy", "metrics.k8s.io"}
		code, out, _ := a.do("metrics --window 1s --probe /health")
		if code != 0 || strings.Count(out, "you may not ") != 2 || !strings.Contains(out, "manifests/rbac-metrics.yaml") {
			t.Errorf("%d\n%s", code, out)
		}
		if slices.ContainsFunc(a.requests, func(r string) bool { return strings.Contains(r, "/proxy/") || strings.Contains(r, "metrics.k8s.io/") }) {
			t.Errorf("%q", a.requests)
		}
	})
}

// With -w it goes on with one window after the other, until it is interrupted.
func TestMetricsWatch(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		metered(a, 0)
		ctx, interrupt := interruptible(t)
		time.AfterFunc(7*time.Second, interrupt)
		code, out, errOut := a.run(ctx, "metrics -w --window 2s -n "+ns)
		synctest.Wait()
		if code != 130 || strings.Count(out, "SERVICE") != 3 || strings.Count(out, "auth      v2") != 3 || strings.Contains(errOut, "error") {
			t.Errorf("%d, %q\n%s", code, errOut, out)
		}
	})
}

func TestMetricsInterrupted(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		metered(a, 0)
		ctx, interrupt := interruptible(t)
		time.AfterFunc(time.Second, interrupt)
		if code, out, errOut := a.run(ctx, "metrics -n "+ns); code != 130 || out != "" || !strings.Contains(errOut, "interrupted") {
			t.Errorf("%d, %q\n%s", code, errOut, out)
		}
	})
}

// A pod that becomes unready meanwhile, or is restarted, is seen.
func TestMetricsSeesLife(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		metered(a, 1)
		time.AfterFunc(time.Second, func() {
			p := runningPod("auth-v2-0", 2)
			p.Status.Conditions[0].Status = corev1.ConditionFalse
			a.put("pods", p)
		})
		code, out, _ := a.do("metrics --window 3s -o jsonpath={.items[1].restarts},{.items[1].life.restarts},{.items[1].life.flaps},{.items[1].life.notReadySeconds}")
		if code != 0 || out != "2,1,1,2" {
			t.Errorf("%d, %q", code, out)
		}
	})
}

func TestMetricsOfNothing(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		a.put("services", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "lone"}})
		if code, out, errOut := a.do("metrics"); code != 0 || out != "" || errOut != "No resources found in messenger namespace.\n" {
			t.Errorf("%d, %q, %q", code, out, errOut)
		}
		if code, out, _ := a.do("metrics -o json"); code != 0 || !strings.Contains(out, `"items": []`) || !strings.Contains(out, `"gaps": []`) {
			t.Errorf("%d, %s", code, out)
		}
	})
}

func TestMetricsUsage(t *testing.T) {
	in(t, func(t *testing.T, a *api) {
		for line, want := range map[string]string{
			"metrics --window 0s":            "invalid --window 0s: want 1s to 1h0m0s",
			"metrics -w -o json":             "--watch prints a table",
			"metrics --scrape metrics":       `--scrape: invalid page "metrics"`,
			"metrics --probe /health:70000":  `--probe: invalid page "/health:70000": "70000" is no port`,
			"metrics -o tree":                `output format "tree"`,
			"metrics auth -l tier=backend":   "a NAME cannot be given with a selector",
			"metrics --scrape none --frobni": "unknown flag: --frobni",
		} {
			if code, _, errOut := a.do(line); code != 1 || !strings.Contains(errOut, want) || strings.Count(errOut, "\n") != 1 {
				t.Errorf("%s: %d, %q", line, code, errOut)
			}
		}
		if len(a.requests) > 0 {
			t.Errorf("asks the cluster %q", a.requests)
		}
	})
}
