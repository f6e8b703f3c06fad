package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// prometheusURL is where a Prometheus listens, in the cluster's network.
const prometheusURL = "http://127.0.0.1:9090"

// startPrometheus starts a Prometheus that reads the pods of a namespace every second, until the test ends, and returns when it has
// read all that run. It finds them in a file: Debian's cannot ask a cluster.
func startPrometheus(t testing.TB, namespace string) {
	t.Helper()
	program := findPrometheus(t)
	dir := t.TempDir()
	config, file := filepath.Join(dir, "prometheus.yml"), filepath.Join(dir, "pods.json")
	const scrape = `{global: {scrape_interval: 1s, scrape_timeout: 900ms}, scrape_configs: [{job_name: pods, file_sd_configs: [{files: [%q]}]}]}`
	if err := os.WriteFile(config, fmt.Appendf(nil, scrape, file), 0o600); err != nil {
		t.Fatal(err)
	}
	scraped := scraped{}
	watch(t, namespace, "pods", func(pod *corev1.Pod) {
		if err := scraped.see(pod, file); err != nil {
			t.Errorf("the targets of Prometheus: %v", err)
		}
	})
	cmd := cluster.command(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+strings.TrimPrefix(prometheusURL, "http://"), "--log.level=warn")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus: %s", log.String())
		}
	})
	running := float64(strings.Count(pods(t, namespace, ""), "\n"))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		answered, err := askPrometheus(t, `count(http_requests_total{namespace="`+namespace+`",code="200"})`)
		if answered == running {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus knows %g of %g pods: %v", answered, running, err)
		}
	}
}

func findPrometheus(t testing.TB) string {
	t.Helper()
	own, err := filepath.Abs(root + "/bin/tools/prometheus")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{own, "prometheus"} {
		if program, err := exec.LookPath(program); err == nil {
			return program
		}
	}
	t.Skip("no prometheus: hack/deps-node.sh gets one")
	return ""
}

// scraped are the targets of a Prometheus, by pod, with the labels that its operator gives them.
type scraped map[string]scrapedPod

type scrapedPod struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// see writes the file anew, in one step, when a pod has come or gone.
func (s scraped) see(pod *corev1.Pod, file string) error {
	_, known := s[pod.Name]
	runs := pod.Status.Phase == corev1.PodRunning && pod.Status.PodIP != ""
	switch {
	case runs == known:
		return nil
	case runs:
		port := pod.Spec.Containers[0].Ports[0].ContainerPort
		s[pod.Name] = scrapedPod{
			Targets: []string{net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(port)))},
			Labels:  map[string]string{"namespace": pod.Namespace, "pod": pod.Name},
		}
	default:
		delete(s, pod.Name)
	}
	data, err := json.Marshal(slices.Collect(maps.Values(s)))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// askPrometheus is the one number that a query comes to.
func askPrometheus(t testing.TB, query string) (float64, error) {
	t.Helper()
	out, err := cluster.command(t.Context(), "kubectl", "--kubeconfig=/dev/null", "--server="+prometheusURL,
		"get", "--raw", "/api/v1/query?query="+url.QueryEscape(query)).Output()
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"` // when, and what, as a string
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("not one number: %s", out)
	}
	return strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
}

// Prometheus counts what the load generator does, to the last request: each can be the other's witness.
func TestPrometheus(t *testing.T) {
	onNode(t)
	ns := deploy(t, app{sick: map[string]string{"chat-v2": "ERROR_RATE=0.05"}})
	startPrometheus(t, ns)
	all := startLoads(t, ns)
	all["users"].until(20 * each)
	r := all.stop()
	requests, failed := r.sum()
	chat := r["chat"]
	v2 := chat.Versions["v2"]
	if requests < 4*20*each || failed != chat.Failed || failed != v2.Failed || failed != v2.Requests/20 || failed == 0 {
		t.Errorf("%d requests, %d failed; of chat %s, of its v2 %+v; want one of 20 of v2 to fail, and none else", requests, failed, chat, v2)
	}
	time.Sleep(3 * time.Second) // until the last was read
	for query, want := range map[string]int{
		`sum(http_requests_total{namespace="` + ns + `"})`:                              requests,
		`sum(http_requests_total{namespace="` + ns + `",code="500"})`:                   failed,
		`sum(http_requests_total{namespace="` + ns + `",pod=~"chat-v2-.+"})`:            v2.Requests,
		`sum(http_request_duration_seconds_count{namespace="` + ns + `",version="v1"})`: requests - r.version("v2"),
	} {
		if got, err := askPrometheus(t, query); err != nil || got != float64(want) {
			t.Errorf("%s is %g (%v), want %d", query, got, err, want)
		}
	}
}
