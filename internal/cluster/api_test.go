package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

const ns = "messenger"

// api is just enough of an API server to be asked over HTTP, in memory and on synctest's clock: lists, watches, reads, the
// JSON patch of a scale, and Leases with their resource versions.
type api struct {
	t *testing.T
	// answer may answer a request instead, or after a write has taken effect; nil, nil leaves it as it is.
	answer func(r *http.Request, effective bool) (*http.Response, error)

	mu       sync.Mutex
	version  int
	objects  map[string]runtime.Object // by resource/name
	events   []event
	next     chan struct{} // closed at the next event
	requests []string
}

type event struct {
	resource string
	version  int
	Type     string         `json:"type"`
	Object   runtime.Object `json:"object"`
}

// in runs a test against an API server, on a clock of its own.
func in(t *testing.T, test func(t *testing.T, a *api, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, c := serve(t)
		test(t, a, c)
	})
}

// put creates or changes an object, as somebody else would.
func (a *api) put(resource string, o runtime.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(resource, "MODIFIED", o)
}

func (a *api) remove(resource, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(resource, "DELETED", a.objects[resource+"/"+name])
}

func (a *api) store(resource, kind string, o runtime.Object) {
	a.version++
	m, err := meta.Accessor(o)
	if err != nil {
		a.t.Error(err)
		return
	}
	m.SetNamespace(ns)
	m.SetResourceVersion(fmt.Sprint(a.version))
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		a.t.Error(err)
		return
	}
	o.GetObjectKind().SetGroupVersionKind(gvks[0])
	a.objects[resource+"/"+m.GetName()] = o
	if kind == "DELETED" {
		delete(a.objects, resource+"/"+m.GetName())
	}
	a.events = append(a.events, event{resource, a.version, kind, o.DeepCopyObject()})
	close(a.next)
	a.next = make(chan struct{})
}

func (a *api) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// count counts the requests so far that contain a text.
func (a *api) count(text string) (n int) {
	for _, r := range a.seen() {
		if strings.Contains(r, text) {
			n++
		}
	}
	return n
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.requests = append(a.requests, r.Method+" "+r.URL.RequestURI())
	a.mu.Unlock()
	if a.answer != nil {
		if resp, err := a.answer(r, false); resp != nil || err != nil {
			return resp, err
		}
	}
	if r.URL.Query().Get("watch") != "" {
		return a.watch(r), nil
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	a.mu.Lock()
	resp := a.serve(r, body)
	a.mu.Unlock()
	if a.answer != nil && r.Method != http.MethodGet {
		if other, err := a.answer(r, true); other != nil || err != nil {
			return other, err
		}
	}
	return resp, nil
}

func answer(code int, body any) *http.Response {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b))}
}

func failure(code int, reason metav1.StatusReason, message string) *http.Response {
	return answer(code, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: int32(code), Reason: reason, Message: message,
	})
}

// decoded reads a request's body, which is protobuf.
func decoded(t *testing.T, body []byte) runtime.Object {
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		t.Errorf("%q: %v", body, err)
		return &coordinationv1.Lease{}
	}
	return o
}
