// Package cluster is the only user of client-go: it reads and watches a namespace, scales Deployments, and keeps the
// Lease of a release.
package cluster

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	autoscalingv2 "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	discoveryv1 "k8s.io/client-go/kubernetes/typed/discovery/v1"
	policyv1 "k8s.io/client-go/kubernetes/typed/policy/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// FieldManager owns the replicas that the plugin sets.
const FieldManager = "kubectl-canary"

// inFlight bounds the requests under way at once. There is no rate limit beside it: the API server's own fairness
// knows better than a client's guess.
const inFlight = 16

// Client talks to one API server, with typed clients for the few groups that are used: no discovery, one connection.
type Client struct {
	core           corev1.CoreV1Interface
	apps           appsv1.AppsV1Interface
	discovery      discoveryv1.DiscoveryV1Interface
	autoscaling    autoscalingv2.AutoscalingV2Interface
	coordination   coordinationv1.CoordinationV1Interface
	authentication authenticationv1.AuthenticationV1Interface
	authorization  authorizationv1.AuthorizationV1Interface
	policy         policyv1.PolicyV1Interface
	metadata       metadata.Interface
	direct         *http.Client // for what others answer through the API server
	clock          *serverClock
	patient        *patient
}

// New returns a client for the configuration, which it does not change. userAgent names the plugin and its version.
func New(config *rest.Config, userAgent string) (*Client, error) {
	cfg := rest.CopyConfig(config)
	cfg.QPS = -1
	cfg.UserAgent = userAgent
	cfg.ContentType = runtime.ContentTypeProtobuf
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	c := &Client{clock: &serverClock{}, patient: &patient{}}
	cfg.Wrap(c.clock.watch)
	cfg.Wrap(limit(inFlight))
	cfg.Wrap(c.patient.wrap)
	web, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	steps := []func() error{
		func() (err error) { c.core, err = corev1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.apps, err = appsv1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.discovery, err = discoveryv1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.autoscaling, err = autoscalingv2.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.coordination, err = coordinationv1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.authentication, err = authenticationv1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.authorization, err = authorizationv1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.policy, err = policyv1.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.metadata, err = metadata.NewForConfigAndClient(cfg, web); return },
		func() (err error) { c.direct, err = direct(cfg, config.WrapTransport); return },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("cannot connect: %w", err)
		}
	}
	return c, nil
}

// Now is the API server's time, as far as its answers have told: leases and ages do not depend on this machine's clock.
func (c *Client) Now() time.Time { return c.clock.now() }

// settling is a context for a write that has begun: a signal does not cut it off, only the time since then does.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	settled, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(writeTimeout):
			cancel()
		case <-settled.Done():
		}
	})
	return settled, func() { stop(); cancel() }
}

// writeTimeout is how long a write, or the read that settles a lost one, may take after a signal.
const writeTimeout = 15 * time.Second

var parameterCodec = scheme.ParameterCodec
