package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// lists are the kind and version of each resource's list.
var lists = map[string][2]string{
	"services": {"ServiceList", "v1"}, "pods": {"PodList", "v1"}, "deployments": {"DeploymentList", "apps/v1"},
	"endpointslices": {"EndpointSliceList", "discovery.k8s.io/v1"}, "leases": {"LeaseList", "coordination.k8s.io/v1"},
	"horizontalpodautoscalers": {"HorizontalPodAutoscalerList", "autoscaling/v2"}, "events": {"EventList", "v1"},
	"resourcequotas": {"ResourceQuotaList", "v1"}, "limitranges": {"LimitRangeList", "v1"},
}

var codes = map[metav1.StatusReason]int{
	metav1.StatusReasonForbidden: http.StatusForbidden, metav1.StatusReasonNotFound: http.StatusNotFound,
	metav1.StatusReasonConflict: http.StatusConflict, metav1.StatusReasonAlreadyExists: http.StatusConflict,
	metav1.StatusReasonInvalid: http.StatusUnprocessableEntity,
}

// serve answers everything but a watch. The path is …/namespaces/NS/RESOURCE[/NAME[/scale]].
func (a *api) serve(r *http.Request, body []byte) *http.Response {
	if !strings.Contains(r.URL.Path, "/namespaces/"+ns) {
		return a.serveCluster(r, body)
	}
	_, path, _ := strings.Cut(r.URL.Path, "/namespaces/"+ns)
	resource, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, isScale := strings.CutSuffix(name, "/scale")
	object, exists := a.objects[resource+"/"+name]
	switch {
	case resource == "":
		return answer(corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}})
	case r.Method == http.MethodGet && name == "":
		return a.list(r, resource)
	case r.Method == http.MethodPost && resource == "events":
		e := decoded(body).(*corev1.Event)
		a.told = append(a.told, e)
		e.Name = fmt.Sprint(e.GenerateName, len(a.told))
		a.store(resource, e)
		return answer(e)
	case r.Method == http.MethodPost:
		o := decoded(body)
		a.store(resource, o)
		return answer(o)
	case !exists:
		return failure(metav1.StatusReasonNotFound, resource+" "+name+" not found")
	case r.Method == http.MethodPut:
		o := decoded(body)
		was, _ := meta.Accessor(object)
		if m, _ := meta.Accessor(o); m.GetResourceVersion() != was.GetResourceVersion() {
			return failure(metav1.StatusReasonConflict, "the object has been modified")
		}
		a.store(resource, o)
		return answer(o)
	case isScale:
		return a.scale(object.(*appsv1.Deployment), body, r.URL.Query().Get("dryRun") != "")
	}
	return answer(object)
}

// serveCluster answers what is asked of no namespace, or of all of them.
func (a *api) serveCluster(r *http.Request, body []byte) *http.Response {
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case resource == "selfsubjectreviews":
		review := decoded(body).(*authenticationv1.SelfSubjectReview)
		review.Status.UserInfo.Username = "jane"
		return answer(review)
	case resource == "selfsubjectaccessreviews":
		review := decoded(body).(*authorizationv1.SelfSubjectAccessReview)
		of := review.Spec.ResourceAttributes
		review.Status.Allowed = !slices.Contains(a.denied, of.Subresource) && !slices.Contains(a.denied, of.Group)
		return answer(review)
	case strings.Contains(r.URL.Path, "/namespaces/"): // another one, which does not exist
		if _, isList := lists[resource]; !isList {
			return failure(metav1.StatusReasonNotFound, `namespaces "`+resource+`" not found`)
		}
		return answer(map[string]any{"kind": lists[resource][0], "apiVersion": lists[resource][1], "metadata": map[string]string{}, "items": []any{}})
	}
	return a.list(r, resource)
}

func (a *api) list(r *http.Request, resource string) *http.Response {
	items := []runtime.Object{}
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		if strings.HasPrefix(key, resource+"/") {
			items = append(items, a.objects[key])
		}
	}
	kind, group := lists[resource][0], lists[resource][1]
	if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList") {
		kind, group = "PartialObjectMetadataList", "meta.k8s.io/v1"
	}
	return answer(map[string]any{
		"kind": kind, "apiVersion": group, "metadata": map[string]string{"resourceVersion": fmt.Sprint(a.version)}, "items": items,
	})
}

// scale takes the JSON patch for what it says, if its test of the replicas holds.
func (a *api) scale(d *appsv1.Deployment, patch []byte, dryRun bool) *http.Response {
	var ops []struct{ Value any }
	if err := json.Unmarshal(patch, &ops); err != nil || len(ops) != 3 {
		a.t.Errorf("the patch is %s", patch)
	}
	if was, _ := ops[1].Value.(float64); int32(was) != *d.Spec.Replicas {
		return failure(metav1.StatusReasonInvalid, "the server rejected our request")
	}
	d = d.DeepCopy()
	*d.Spec.Replicas = int32(ops[2].Value.(float64))
	if !dryRun {
		d.Generation++
		a.store("deployments", d)
		go a.scaled(d.Name)
	}
	return answer(map[string]any{"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": map[string]string{"resourceVersion": d.ResourceVersion}})
}

// watch sends what has happened since a version, until the request ends.
func (a *api) watch(r *http.Request) *http.Response {
	out, in := io.Pipe()
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	go func() {
		defer in.Close()
		sent := 0
		for {
			a.mu.Lock()
			next, news := a.next, a.events[sent:]
			sent = len(a.events)
			a.mu.Unlock()
			for _, e := range news {
				if e.resource == resource && json.NewEncoder(in).Encode(e) != nil {
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
