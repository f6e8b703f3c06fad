package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func page(code int, contentType, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {contentType}, "Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// What the pod answers is passed on as it is; what the API server answers instead is told in a line.
func TestAskPod(t *testing.T) {
	const unreached = "error trying to reach service: "
	for name, c := range map[string]struct {
		answer *http.Response
		status int
		body   string
		err    string // empty for none
		silent bool   // it is the pod that does not answer
	}{
		"fine":        {page(200, "text/plain", "a 1\n"), 200, "a 1\n", "", false},
		"too long":    {page(200, "text/plain", strings.Repeat("x", 100)), 200, strings.Repeat("x", 20), "", false},
		"its error":   {page(503, "text/html", "sorry"), 503, "sorry", "", false},
		"its JSON":    {page(500, "application/json", `{"kind":"Status"}`), 500, `{"kind":"Status"}`, "", false},
		"its refusal": {page(403, "text/plain", "no"), 403, "no", "", false},
		"redirect":    {page(302, "text/plain", "there"), 302, "there", "", false},
		"refused":     {failure(503, metav1.StatusReasonServiceUnavailable, unreached+"dial tcp 10.244.0.7:8001: connect: connection refused"), 0, "", "no answer of the pod: connection refused", true},
		"cut off":     {failure(503, metav1.StatusReasonServiceUnavailable, unreached+"EOF"), 0, "", "no answer of the pod: EOF", true},
		"dial":        {failure(503, metav1.StatusReasonServiceUnavailable, unreached+"dial tcp 10.244.0.7:8001: i/o timeout"), 0, "", "no answer of the pod: i/o timeout", true},
		"tunnel":      {failure(503, metav1.StatusReasonServiceUnavailable, unreached+"proxy error from 127.0.0.1:1 while dialing 10.244.0.5:8001, code 502: 502 Bad Gateway"), 0, "", "no answer of the pod: proxy error from 127.0.0.1:1, code 502: 502 Bad Gateway", true},
		"forbidden":   {failure(403, metav1.StatusReasonForbidden, `pods "p:80" is forbidden: User "jane" cannot get resource "pods/proxy"`), 0, "", `pods "p:80" is forbidden: User "jane" cannot get resource "pods/proxy"`, false},
		"gone":        {failure(404, metav1.StatusReasonNotFound, `pods "p" not found`), 0, "", `pods "p" not found`, false},
		"busy":        {failure(429, metav1.StatusReasonTooManyRequests, "too many requests"), 0, "", "too many requests", false},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, client *Client) {
				client.Persist(time.Hour) // not for this
				a.answer = func(*http.Request, bool) (*http.Response, error) { return c.answer, nil }
				most := int64(1 << 10)
				if name == "too long" {
					most = 20
				}
				status, body, err := client.AskPod(t.Context(), ns, "p:80", "/metrics", most)
				if status != c.status || string(body) != c.body || fmt.Sprint(err) != orNil(c.err) || errors.Is(err, canary.ErrNoAnswer) != c.silent {
					t.Errorf("%d, %q, %v", status, body, err)
				}
				if n := len(a.seen()); n != 1 {
					t.Errorf("%d requests: %q", n, a.seen())
				}
				if now := client.Now(); now.Year() == 2006 {
					t.Error("the time of the pod is taken for that of the API server")
				}
			})
		})
	}
}

func orNil(s string) string {
	if s == "" {
		return "<nil>"
	}
	return s
}

// A page cannot lead out of the pod, whatever its path is.
func TestAskPodPath(t *testing.T) {
	in(t, func(t *testing.T, a *api, client *Client) {
		a.answer = func(*http.Request, bool) (*http.Response, error) { return page(200, "text/plain", ""), nil }
		const below = "GET /api/v1/namespaces/messenger/pods/https:p:443/proxy"
		for path, want := range map[string]string{
			"/metrics": "/metrics", "metrics": "/metrics", "/": "/", "/a/": "/a/", "/a%20b?x=y&z": "/a%20b?x=y&z",
			"/../../../secrets/x": "/secrets/x", "/%2e%2e/%2e%2e/q/proxy/x": "/q/proxy/x", "/a/..": "/",
		} {
			if _, _, err := client.AskPod(t.Context(), ns, "https:p:443", path, 10); err != nil {
				t.Fatal(err)
			}
			if all := a.seen(); all[len(all)-1] != below+want {
				t.Errorf("%s: %s", path, all[len(all)-1])
			}
		}
		if _, _, err := client.AskPod(t.Context(), ns, "p:80", "/%zz", 10); err == nil {
			t.Error("asks for what is no path")
		}
	})
}

// A pod that does not answer is at fault only where the API server does.
func TestAskPodLate(t *testing.T) {
	for name, c := range map[string]struct {
		version func(*http.Request) (*http.Response, error)
		silent  bool
		took    time.Duration
	}{
		"the pod":        {func(*http.Request) (*http.Response, error) { return page(200, "application/json", "{}"), nil }, true, podTimeout},
		"the API server": {hang, false, podTimeout + versionTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, a *api, client *Client) {
				a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
					if r.URL.Path == "/version" {
						return c.version(r)
					}
					return hang(r)
				}
				began := time.Now()
				_, _, err := client.AskPod(t.Context(), ns, "p:80", "/", 10)
				if err == nil || errors.Is(err, canary.ErrNoAnswer) != c.silent || time.Since(began) != c.took {
					t.Errorf("%v after %s", err, time.Since(began))
				}
			})
		})
	}
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAskPodInterrupted(t *testing.T) {
	in(t, func(t *testing.T, a *api, client *Client) {
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) { return hang(r) }
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		if _, _, err := client.AskPod(ctx, ns, "p:80", "/", 10); !errors.Is(err, stop) || len(a.seen()) != 1 {
			t.Errorf("%v, %q", err, a.seen())
		}
	})
}

// A redirect would take the user's credentials to wherever a pod says.
func TestAskPodKeepsCredentials(t *testing.T) {
	var stolen atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen.Store(true) }))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Error("without the user's token")
		}
		http.Redirect(w, r, other.URL, http.StatusFound)
	}))
	defer server.Close()
	client, err := New(&rest.Config{Host: server.URL, BearerToken: "secret"}, "kubectl-canary/test")
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := client.AskPod(t.Context(), ns, "p:80", "/", 10); status != http.StatusFound || err != nil || stolen.Load() {
		t.Errorf("%d, %v, followed %t", status, err, stolen.Load())
	}
}

// Pods that do not answer leave room for the requests of a move.
func TestAskPodLeavesRoom(t *testing.T) {
	in(t, func(t *testing.T, a *api, client *Client) {
		a.messenger()
		var under atomic.Int32
		a.answer = func(r *http.Request, _ bool) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/proxy/") {
				under.Add(1)
				return hang(r)
			}
			return nil, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 * podsInFlight {
			go func() { _, _, _ = client.AskPod(ctx, ns, "p:80", "/", 10) }()
		}
		synctest.Wait()
		began := time.Now()
		read(t, client, Want{})
		if n := under.Load(); n != podsInFlight || time.Since(began) > 0 {
			t.Errorf("%d under way, and reading took %s", n, time.Since(began))
		}
		cancel()
		synctest.Wait()
	})
}
