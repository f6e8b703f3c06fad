package cluster

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// As metrics-server writes it.
const podMetricsList = `{"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},"items":[
{"metadata":{"name":"auth-v1-a","namespace":"messenger"},"timestamp":"2026-01-01T12:00:00Z","window":"15.2s","containers":[
 {"name":"app","usage":{"cpu":"2518439n","memory":"12040Ki"}},{"name":"side","usage":{"cpu":"1","memory":"7"}}]},
{"metadata":{"name":"auth-v1-b","namespace":"messenger"},"containers":[]}]}`

func TestPodUsage(t *testing.T) {
	in(t, func(t *testing.T, a *api, client *Client) {
		client.Persist(time.Hour) // not for this
		for name, c := range map[string]struct {
			answer *http.Response
			want   []canary.Used
			err    string
		}{
			"fine":        {page(200, "application/json", podMetricsList), []canary.Used{{Pod: "auth-v1-a", Container: "app", NanoCPU: 2518439, MemoryBytes: 12040 << 10}, {Pod: "auth-v1-a", Container: "side", NanoCPU: 1e9, MemoryBytes: 7}}, ""},
			"absent":      {page(404, "text/plain", "404 page not found"), nil, "metrics.k8s.io is not in this cluster"},
			"forbidden":   {failure(403, metav1.StatusReasonForbidden, "you may not"), nil, "metrics.k8s.io does not answer: you may not"},
			"unavailable": {page(503, "text/plain", "service unavailable"), nil, "metrics.k8s.io does not answer: 503 Service Unavailable"},
			"not JSON":    {page(200, "text/html", "<html>"), nil, "metrics.k8s.io is not understood: invalid character '<' looking for beginning of value"},
		} {
			a.answer = func(*http.Request, bool) (*http.Response, error) { return c.answer, nil }
			got, err := client.PodUsage(t.Context(), ns, "app=auth,version in (v1)")
			if d := cmp.Diff(c.want, got); d != "" || fmt.Sprint(err) != orNil(c.err) || errors.Is(err, canary.ErrAbsent) != (name == "absent") {
				t.Errorf("%s: %v\n%s", name, err, d)
			}
		}
		const asked = "GET /apis/metrics.k8s.io/v1beta1/namespaces/messenger/pods?labelSelector=app%3Dauth%2Cversion+in+%28v1%29"
		if got := a.count(asked); got != 5 {
			t.Errorf("%q", a.seen())
		}
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) { return hang(r) }
		if _, err := client.PodUsage(t.Context(), ns, ""); !errors.Is(err, errLate) {
			t.Errorf("where nobody answers: %v", err)
		}
	})
}

func TestPodWarnings(t *testing.T) {
	in(t, func(t *testing.T, a *api, client *Client) {
		a.put("events", &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: "e"}, InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "p"}, Type: "Warning", Reason: "BackOff", Count: 3,
		})
		got, err := client.PodWarnings(t.Context(), ns)
		if err != nil || len(got) != 1 || got[0].Object != "Pod/p" || got[0].Count != 3 {
			t.Errorf("%+v, %v", got, err)
		}
		if !strings.Contains(a.seen()[0], "fieldSelector=involvedObject.kind%3DPod%2Ctype%3DWarning") {
			t.Errorf("%q", a.seen())
		}
	})
}

// What decides where a pod is asked, and what its limits are.
func TestPortsAndLimits(t *testing.T) {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"prometheus.io/port": "9102", "prometheus.io/path": "/m", "other.io/port": "1"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "app", Ports: []corev1.ContainerPort{{Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP}, {Name: "http", ContainerPort: 8001}},
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("1Ki")}}},
			{Name: "side"},
		}},
	}
	got := toPod(p)
	want := canary.Pod{
		Ports: []canary.Port{{Name: "http", Number: 8001}}, Scrape: map[string]string{"port": "9102", "path": "/m"},
		Limits: map[string]canary.Resources{"app": {MilliCPU: 100, MemoryBytes: 1024}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	udp := corev1.ServicePort{Port: 53, Protocol: corev1.ProtocolUDP}
	for want, ports := range map[string][]corev1.ServicePort{
		"http": {udp, {Port: 80, TargetPort: intstr.FromString("http")}, {Port: 81}}, "8001": {{Port: 80, TargetPort: intstr.FromInt32(8001)}},
		"80": {{Port: 80}}, "": {udp},
	} {
		if got := toService(&corev1.Service{Spec: corev1.ServiceSpec{Ports: ports}}).TargetPort; got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
