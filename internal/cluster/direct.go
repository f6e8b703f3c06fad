package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

const (
	// podsInFlight bounds the requests to pods under way at once, beside those of Client.
	podsInFlight = 16
	// podTimeout is how long a pod has to answer.
	podTimeout = 5 * time.Second
	// versionTimeout is how long the API server has to answer when a pod has not.
	versionTimeout = 2 * time.Second
)

// direct returns a client whose answers are not the API server's own: it tries nothing again, takes no time from them, and
// follows no redirect, which would take the user's credentials to wherever a pod says.
func direct(config *rest.Config, wrap transport.WrapperFunc) (*http.Client, error) {
	cfg := rest.CopyConfig(config)
	cfg.WrapTransport = wrap
	cfg.Wrap(limit(podsInFlight))
	web, err := rest.TransportFor(cfg)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: web, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// AskPod sends a GET for a path, which may have a query, to a pod through the API server. target is NAME:PORT or
// https:NAME:PORT, with the port's number. It returns the status and up to most bytes of what the pod has answered. An error
// is canary.ErrNoAnswer where the pod has not answered within podTimeout, or refuses connections; any other is not the pod's.
func (c *Client) AskPod(ctx context.Context, namespace, target, from string, most int64) (status int, body []byte, err error) {
	rel, err := url.Parse(from)
	if err != nil {
		return 0, nil, err
	}
	to := c.core.RESTClient().Get().Namespace(namespace).Resource("pods").Name(target).SubResource("proxy").URL()
	to = to.JoinPath(below(rel.Path))
	to.RawQuery = rel.RawQuery
	timed, cancel := context.WithTimeoutCause(ctx, podTimeout, errLate)
	defer cancel()
	status, body, own, err := c.ask(timed, to, "text/plain;version=0.0.4;q=0.9,*/*;q=0.1", most)
	switch {
	case ctx.Err() != nil:
		return 0, nil, context.Cause(ctx)
	case errors.Is(context.Cause(timed), errLate) && err != nil:
		if err := c.answers(ctx); err != nil {
			return 0, nil, err
		}
		return 0, nil, fmt.Errorf("%w within %s", canary.ErrNoAnswer, podTimeout)
	case err != nil:
		return 0, nil, err
	case own == nil:
		return status, body, nil
	}
	return 0, nil, proxyError(own)
}

// below keeps a path, which may be a pod's word, from leading out of the pod.
func below(p string) string {
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/" // may be another page
	}
	return clean
}

// proxyError says in a line why the API server has not passed a request on.
func proxyError(own *metav1.Status) error {
	const unreached = "error trying to reach service: "
	text := strings.TrimSpace(own.Message)
	if why, ok := strings.CutPrefix(text, unreached); ok {
		return fmt.Errorf("%w: %s", canary.ErrNoAnswer, withoutAddress(why))
	}
	return errors.New(text)
}

// withoutAddress leaves out where the API server, or its proxy, has looked for the pod: what is left is the same for all pods.
func withoutAddress(why string) string {
	if dial, rest, ok := strings.Cut(why, ": "); ok && strings.HasPrefix(dial, "dial ") {
		return strings.TrimPrefix(rest, "connect: ")
	}
	if proxy, rest, ok := strings.Cut(why, " while dialing "); ok {
		_, rest, _ = strings.Cut(rest, ", ")
		return proxy + ", " + rest
	}
	return why
}

// answers asks the API server something that it need not look for.
func (c *Client) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, versionTimeout, errLate)
	defer cancel()
	if _, _, _, err := c.ask(ctx, c.core.RESTClient().Get().AbsPath("/version").URL(), "application/json", 1<<10); err != nil {
		return cause(ctx, err)
	}
	return nil
}

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ask sends one GET. own is the Status by which the API server itself has answered, nil where the answer is of who it asked.
func (c *Client) ask(ctx context.Context, to *url.URL, accept string, most int64) (status int, body []byte, own *metav1.Status, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), http.NoBody)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Accept", accept)
	resp, err := c.direct.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return 0, nil, nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		s := &metav1.Status{}
		if json.Unmarshal(body, s) == nil && s.Kind == "Status" && s.APIVersion == "v1" {
			own = s
		}
	}
	return resp.StatusCode, body, own, nil
}
