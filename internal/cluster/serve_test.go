package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

func serve(t *testing.T) (*api, *Client) {
	t.Helper()
	a := &api{t: t, version: 100, objects: map[string]runtime.Object{}, next: make(chan struct{})}
	c, err := New(&rest.Config{Host: "http://api", Transport: a}, "kubectl-canary/test")
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

// serve answers everything but a watch. The path is …/namespaces/NS/RESOURCE[/NAME[/scale]].
func (a *api) serve(r *http.Request, body []byte) *http.Response {
	_, path, _ := strings.Cut(r.URL.Path, "/namespaces/"+ns+"/")
	resource, name, _ := strings.Cut(path, "/")
	name, isScale := strings.CutSuffix(name, "/scale")
	object, exists := a.objects[resource+"/"+name]
	switch {
	case r.Method == http.MethodGet && name == "":
		return a.list(r, resource)
	case r.Method == http.MethodPost:
		o := decoded(a.t, body)
		m, _ := meta.Accessor(o)
		if _, taken := a.objects[resource+"/"+m.GetName()]; taken {
			return failure(http.StatusConflict, metav1.StatusReasonAlreadyExists, "already exists")
		}
		a.store(resource, "ADDED", o)
		return answer(http.StatusCreated, o)
	case !exists:
		return failure(http.StatusNotFound, metav1.StatusReasonNotFound, resource+" "+name+" not found")
	case r.Method == http.MethodPut:
		o := decoded(a.t, body)
		was, _ := meta.Accessor(object)
		if m, _ := meta.Accessor(o); m.GetResourceVersion() != was.GetResourceVersion() {
			return failure(http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified")
		}
		a.store(resource, "MODIFIED", o)
		return answer(http.StatusOK, o)
	case r.Method == http.MethodPatch && isScale:
		return a.scale(object.(*appsv1.Deployment), body, r.URL.Query().Get("dryRun") != "")
	case r.Method == http.MethodPatch:
		return a.merge(object.(*corev1.Pod), body)
	}
	return answer(http.StatusOK, object)
}

// merge does what the API server does with a merge patch of a pod's metadata, and with a UID that is another pod's.
func (a *api) merge(pod *corev1.Pod, patch []byte) *http.Response {
	was, err := json.Marshal(pod)
	if err != nil {
		a.t.Error(err)
	}
	merged, err := jsonpatch.MergePatch(was, patch)
	if err != nil {
		a.t.Error(err)
	}
	changed := decoded(a.t, merged).(*corev1.Pod)
	if changed.UID != pod.UID {
		return failure(http.StatusConflict, metav1.StatusReasonConflict, "the UID is another")
	}
	a.store("pods", "MODIFIED", changed)
	return answer(http.StatusOK, changed)
}

func (a *api) list(r *http.Request, resource string) *http.Response {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		a.t.Error(err)
	}
	items := []runtime.Object{}
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		m, _ := meta.Accessor(a.objects[key])
		if strings.HasPrefix(key, resource+"/") && selector.Matches(labels.Set(m.GetLabels())) {
			items = append(items, a.objects[key])
		}
	}
	kind, group := lists[resource][0], lists[resource][1]
	if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") {
		kind, group = "PartialObjectMetadataList", "meta.k8s.io/v1"
	}
	return answer(http.StatusOK, map[string]any{
		"kind": kind, "apiVersion": group, "metadata": map[string]any{"resourceVersion": fmt.Sprint(a.version)}, "items": items,
	})
}

// lists are the kind and version of each resource's list.
var lists = map[string][2]string{
	"services": {"ServiceList", "v1"}, "pods": {"PodList", "v1"}, "deployments": {"DeploymentList", "apps/v1"},
	"endpointslices": {"EndpointSliceList", "discovery.k8s.io/v1"}, "leases": {"LeaseList", "coordination.k8s.io/v1"},
	"replicasets": {"ReplicaSetList", "apps/v1"}, "events": {"EventList", "v1"}, "horizontalpodautoscalers": {"HorizontalPodAutoscalerList", "autoscaling/v2"},
	"resourcequotas": {"ResourceQuotaList", "v1"}, "limitranges": {"LimitRangeList", "v1"},
}

// scale does what the API server does with the three operations of scalePatch.
func (a *api) scale(d *appsv1.Deployment, patch []byte, dryRun bool) *http.Response {
	var ops []operation
	if err := json.Unmarshal(patch, &ops); err != nil || len(ops) != 3 {
		a.t.Errorf("the patch is %s", patch)
	}
	var now any // Scale leaves out a zero
	if *d.Spec.Replicas != 0 {
		now = float64(*d.Spec.Replicas)
	}
	if ops[0].Value != string(d.UID) || ops[1].Value != now {
		return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "the server rejected our request due to an error in our request")
	}
	changed := d.DeepCopy()
	*changed.Spec.Replicas = int32(ops[2].Value.(float64))
	if !dryRun {
		a.store("deployments", "MODIFIED", changed)
	}
	return answer(http.StatusOK, map[string]any{
		"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": map[string]any{"name": d.Name, "resourceVersion": changed.ResourceVersion},
	})
}

// watch sends the events since a version until the request ends.
func (a *api) watch(r *http.Request) *http.Response {
	out, in := io.Pipe()
	_, resource, _ := strings.Cut(r.URL.Path, "/namespaces/"+ns+"/")
	go func() {
		defer in.Close()
		sent := 0
		for {
			a.mu.Lock()
			next, news := a.next, a.events[sent:]
			sent = len(a.events)
			a.mu.Unlock()
			for _, e := range news {
				if e.resource == resource && newer(fmt.Sprint(e.version), r.URL.Query().Get("resourceVersion")) && json.NewEncoder(in).Encode(e) != nil {
					return
				}
			}
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: out}
}
