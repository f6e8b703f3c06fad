package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// api is just enough of an API server for a whole command, in memory and on synctest's clock. What it says of patches and
// conflicts is checked by the scripts, on a real one.
type api struct {
	t *testing.T
	// refuse answers a request with an error; an empty reason lets it pass.
	refuse func(r *http.Request) (metav1.StatusReason, string)
	// scaled is what the controllers make of a write to a Deployment.
	scaled func(deployment string)
	// beyond is what others answer through the API server; nil lets it answer itself.
	beyond func(path string) *http.Response
	denied []string // groups and subresources that the user may not use, as reviews say
	// gate judges the canaries of migrations; nil leaves it to the gates.
	gate func(*run) gate

	mu       sync.Mutex
	version  int
	objects  map[string]runtime.Object // by resource/name
	events   []event
	next     chan struct{} // closed at the next event
	requests []string
	told     []*corev1.Event
}

type event struct {
	resource string
	Type     string         `json:"type"`
	Object   runtime.Object `json:"object"`
}

func (a *api) put(resource string, o runtime.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(resource, o)
}

func (a *api) store(resource string, o runtime.Object) {
	a.version++
	m, err := meta.Accessor(o)
	if err != nil {
		panic(err)
	}
	m.SetNamespace(ns)
	m.SetResourceVersion(fmt.Sprint(a.version))
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		panic(err)
	}
	o.GetObjectKind().SetGroupVersionKind(gvks[0])
	a.objects[resource+"/"+m.GetName()] = o
	a.events = append(a.events, event{resource, "MODIFIED", o.DeepCopyObject()})
	close(a.next)
	a.next = make(chan struct{})
}

// writes are the requests so far that change something; dry runs and questions do not.
func (a *api) writes() (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.requests {
		if !strings.HasPrefix(r, "GET") && !strings.Contains(r, "selfsubject") && !strings.Contains(r, "dryRun") {
			all = append(all, r)
		}
	}
	return all
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	a.mu.Lock()
	a.requests = append(a.requests, r.Method+" "+r.URL.RequestURI())
	a.mu.Unlock()
	if a.refuse != nil {
		if reason, message := a.refuse(r); reason != "" {
			return failure(reason, message), nil
		}
	}
	if a.beyond != nil {
		if resp := a.beyond(r.URL.Path); resp != nil {
			return resp, nil
		}
	}
	if r.URL.Query().Get("watch") != "" {
		return a.watch(r), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.serve(r, body), nil
}

func answer(body any) *http.Response { return response(http.StatusOK, body) }

func failure(reason metav1.StatusReason, message string) *http.Response {
	return response(codes[reason], metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: int32(codes[reason]), Reason: reason, Message: message,
	})
}

func response(code int, body any) *http.Response {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b))}
}

// decoded reads a request's body, which is protobuf.
func decoded(body []byte) runtime.Object {
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		panic(err)
	}
	return o
}
