package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Want says what to read beyond Services, Deployments, endpoints and leases, or less than all of them.
type Want struct {
	WholePods   bool // with their state; else only their metadata
	Autoscalers bool
	Limits      bool // quotas and limit ranges
	// Names are releases that nothing beyond is needed of; what is read for them cannot be followed. None: all.
	Names []string

	keep *Objects // what the whole objects go into; nil for none
}

// Live is a namespace, or all of them, as read and, once it is followed, as it changes.
type Live struct {
	client    *Client
	namespace string // empty: all

	services    *feed[canary.Service]
	deployments *feed[canary.Deployment]
	endpoints   *feed[[]canary.Endpoint]
	pods        *feed[canary.Pod]
	leases      *feed[namedLease]
	autoscalers *feed[canary.Autoscaler] // nil unless wanted, or forbidden
	quotas      *feed[canary.Quota]      // empty unless wanted, or forbidden, like the next
	limitRanges *feed[canary.LimitRange]
	replicaSets *feed[canary.ReplicaSet] // of what ReadReplicaSets was asked for
	happenings  *feed[canary.Happening]  // of what ReadEvents was asked for

	leasesHidden bool
	limitsHidden bool

	mu      sync.Mutex
	written map[written]string // the version that our last write made
	err     error              // why following has ended
	next    chan struct{}      // closed at the next change
	built   *canary.Snapshot   // the last snapshot
	builtAt int                // the changes that were in it for sure
	refresh *refresh           // the one that has not begun yet
	reading sync.Mutex         // held while one is under way
}

// live is nothing read yet.
func (c *Client) live(namespace string) *Live {
	return &Live{
		client: c, namespace: namespace,
		services: c.services(namespace), deployments: c.deployments(namespace), endpoints: c.endpoints(namespace),
		pods: c.podNames(namespace), leases: c.leases(namespace),
		quotas: c.quotas(namespace), limitRanges: c.limitRanges(namespace),
		replicaSets: c.replicaSets(namespace), happenings: c.happenings(namespace, ""),
		written: map[written]string{}, next: make(chan struct{}), builtAt: -1,
	}
}

// ReadShape reads a namespace's Services and Deployments, all at once: which releases and versions there are, but not what
// serves.
func (c *Client) ReadShape(ctx context.Context, namespace string) (*canary.Snapshot, error) {
	l := c.live(namespace)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.services.load(ctx) })
	group.Go(func() error { return l.deployments.load(ctx) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return l.Snapshot(), nil
}

// Read reads a namespace, or with an empty name all of them.
func (c *Client) Read(ctx context.Context, namespace string, want Want) (*Live, error) {
	if len(want.Names) > 0 && len(want.Names) <= fewNames {
		if l, err := c.readNamed(ctx, namespace, want); l != nil || err != nil {
			return l, err
		}
	}
	return c.readAll(ctx, namespace, want)
}

// readAll reads with one list for each kind, all at once.
func (c *Client) readAll(ctx context.Context, namespace string, want Want) (*Live, error) {
	l := c.live(namespace)
	if want.WholePods {
		l.pods = c.wholePods(namespace)
	}
	if want.keep != nil {
		want.keep.keepFrom(l)
	}
	var group errgroup.Group
	group.Go(func() error { return l.services.load(ctx) })
	group.Go(func() error { return l.deployments.load(ctx) })
	group.Go(func() error { return l.endpoints.load(ctx) })
	group.Go(func() error { return l.pods.load(ctx) })
	group.Go(func() (err error) {
		l.leasesHidden, err = hidden(l.leases.load(ctx))
		return err
	})
	if want.Autoscalers {
		group.Go(func() error { return l.ReadAutoscalers(ctx) })
	}
	if want.Limits {
		group.Go(func() error { return l.ReadLimits(ctx) })
	}
	return l, group.Wait()
}

// hidden tells what the user may not see from what fails.
func hidden(err error) (bool, error) {
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	return false, err
}

// ReadAutoscalers leaves them as they are where there is no such kind, or the user may not see it.
func (l *Live) ReadAutoscalers(ctx context.Context) error {
	feed := l.client.autoscalers(l.namespace)
	err := feed.load(ctx)
	if err == nil {
		l.autoscalers = feed
	}
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// AutoscalersHidden says that the user may not see whether anything scales the Deployments.
func (l *Live) AutoscalersHidden() bool { return l.autoscalers == nil }

// Empty says whether nothing at all was found.
func (l *Live) Empty() bool {
	n := 0
	l.services.each(func(string, canary.Service) { n++ })
	l.deployments.each(func(string, canary.Deployment) { n++ })
	return n == 0
}

// NamespaceError returns the server's answer where the namespace does not exist; nil where it does, or may not be seen.
func (l *Live) NamespaceError(ctx context.Context) error {
	return l.client.NamespaceError(ctx, l.namespace)
}

// NamespaceError is that of a Live.
func (c *Client) NamespaceError(ctx context.Context, namespace string) error {
	_, err := c.core.Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return err
	}
	return nil
}

// Snapshots returns the namespaces as they are now, in order of name.
func (l *Live) Snapshots() []*canary.Snapshot {
	byName := map[string]*canary.Snapshot{}
	at := func(ns string) *canary.Snapshot {
		s, ok := byName[ns]
		if !ok {
			s = &canary.Snapshot{Namespace: ns, Leases: map[string]canary.Lease{}, LeasesHidden: l.leasesHidden}
			byName[ns] = s
		}
		return s
	}
	if l.namespace != "" {
		at(l.namespace)
	}
	now := l.client.Now()
	l.services.each(func(ns string, v canary.Service) { s := at(ns); s.Services = append(s.Services, v) })
	l.deployments.each(func(ns string, v canary.Deployment) { s := at(ns); s.Deployments = append(s.Deployments, v) })
	l.endpoints.each(func(ns string, v []canary.Endpoint) { s := at(ns); s.Endpoints = append(s.Endpoints, v...) })
	l.pods.each(func(ns string, v canary.Pod) { s := at(ns); s.Pods = append(s.Pods, v) })
	l.leases.each(func(ns string, v namedLease) { at(ns).Leases[v.release] = v.at(now) })
	l.replicaSets.each(func(ns string, v canary.ReplicaSet) { s := at(ns); s.ReplicaSets = append(s.ReplicaSets, v) })
	l.happenings.each(func(ns string, v canary.Happening) { s := at(ns); s.Happenings = append(s.Happenings, v) })
	if l.autoscalers != nil {
		l.autoscalers.each(func(ns string, v canary.Autoscaler) { s := at(ns); s.Autoscalers = append(s.Autoscalers, v) })
	}
	l.quotas.each(func(ns string, v canary.Quota) { s := at(ns); s.Quotas = append(s.Quotas, v) })
	l.limitRanges.each(func(ns string, v canary.LimitRange) { s := at(ns); s.LimitRanges = append(s.LimitRanges, v) })
	all := make([]*canary.Snapshot, 0, len(byName))
	for _, s := range byName {
		slices.SortFunc(s.Services, func(a, b canary.Service) int { return strings.Compare(a.Name, b.Name) })
		slices.SortFunc(s.Deployments, func(a, b canary.Deployment) int { return strings.Compare(a.Name, b.Name) })
		slices.SortFunc(s.Quotas, func(a, b canary.Quota) int { return strings.Compare(a.Name, b.Name) })
		slices.SortFunc(s.LimitRanges, func(a, b canary.LimitRange) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *canary.Snapshot) int { return strings.Compare(a.Namespace, b.Namespace) })
	return all
}

// Snapshot returns the one namespace that was read. It is the same value until something changes; callers share it.
func (l *Live) Snapshot() *canary.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.services.changes() + l.deployments.changes() + l.endpoints.changes() + l.pods.changes() + l.leases.changes() +
		l.quotas.changes() + l.limitRanges.changes()
	if l.builtAt != now {
		l.built, l.builtAt = l.Snapshots()[0], now
	}
	return l.built
}

// manyDeployments is from how many Deployments one list of the whole namespace is cheaper than one for each.
const manyDeployments = 8

// ReadPods reads the state of the pods of some Deployments, by namespace, where only their names were read before.
func (l *Live) ReadPods(ctx context.Context, of map[string][]canary.Deployment) error {
	return readOf(ctx, l, of, l.client.wholePods, &l.pods)
}

// readOf reads what the selectors of some Deployments pick: of few into what the feed has, of many as the whole namespace.
func readOf[T any](ctx context.Context, l *Live, of map[string][]canary.Deployment, read func(namespace string) *feed[T], into **feed[T]) error {
	total := 0
	for _, deployments := range of {
		total += len(deployments)
	}
	if total > manyDeployments {
		*into = read(l.namespace)
		return (*into).load(ctx)
	}
	feed := *into
	group, ctx := errgroup.WithContext(ctx)
	for namespace, deployments := range of {
		for _, d := range deployments {
			some := read(namespace).selecting(fmt.Sprint(d.Selector))
			group.Go(func() error { return feed.add(ctx, some) })
		}
	}
	return group.Wait()
}
