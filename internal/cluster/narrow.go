package cluster

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	coordinationv1 "k8s.io/api/coordination/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// fewNames is up to how many releases are read one by one; lists of the whole namespace cost less than more of them.
const fewNames = 4

// readNamed reads what the named releases consist of: all Services, and what the selectors of those matter match. It
// returns nil where that would not show the releases as the whole namespace does.
func (c *Client) readNamed(ctx context.Context, namespace string, want Want) (*Live, error) {
	l := c.live(namespace)
	var group errgroup.Group
	group.Go(func() error { return l.services.load(ctx) })
	if want.Autoscalers {
		group.Go(func() error { return l.readAutoscalers(ctx) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	services := l.Snapshots()[0].Services
	var parts []*part
	for _, name := range want.Names {
		twins, ok := canary.Narrow(services, name)
		if !ok {
			return nil, nil
		}
		parts = append(parts, c.part(namespace, twins))
	}
	for _, p := range parts {
		group.Go(func() error { return p.load(ctx) })
	}
	switch err := group.Wait(); {
	case apierrors.IsForbidden(err):
		return nil, nil // only ReplicaSets, perhaps
	case err != nil:
		return nil, err
	}
	for _, p := range parts {
		p.into(l)
	}
	s := l.Snapshots()[0]
	if slices.ContainsFunc(parts, func(p *part) bool { return !canary.Suffices(s, p.service, p.owners) }) {
		return nil, nil
	}
	return l, nil
}

// part is what the selector of one Service matches.
type part struct {
	service      canary.Service
	owners       []string // UIDs of the Deployments that own ReplicaSets
	replicaSets  *feed[string]
	deployments  *feed[canary.Deployment]
	endpoints    *feed[[]canary.Endpoint]
	pods         *feed[canary.Pod]
	leases       *feed[namedLease]
	leasesHidden bool
}

func (c *Client) part(namespace string, twins []canary.Service) *part {
	names := make([]string, len(twins))
	for i, s := range twins {
		names[i] = s.Name
	}
	selector := labels.Set(twins[0].Selector).String()
	return &part{
		service:     twins[0],
		replicaSets: c.replicaSetOwners(namespace).selecting(selector),
		deployments: c.deployments(namespace).selecting(selector),
		endpoints:   c.endpoints(namespace).selecting(discoveryv1.LabelServiceName + " in (" + strings.Join(names, ",") + ")"),
		pods:        c.podNames(namespace).selecting(selector),
		leases:      c.leasesOf(namespace, names),
	}
}

func (p *part) load(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.replicaSets.load(ctx) })
	group.Go(func() error { return p.deployments.load(ctx) })
	group.Go(func() error { return p.endpoints.load(ctx) })
	group.Go(func() error { return p.pods.load(ctx) })
	group.Go(func() (err error) {
		p.leasesHidden, err = hidden(p.leases.load(ctx))
		return err
	})
	err := group.Wait()
	p.replicaSets.each(func(_, owner string) { p.owners = append(p.owners, owner) })
	return err
}

// into adds the part to what is known.
func (p *part) into(l *Live) {
	l.deployments.merge(p.deployments)
	l.endpoints.merge(p.endpoints)
	l.pods.merge(p.pods)
	l.leases.merge(p.leases)
	l.leasesHidden = l.leasesHidden || p.leasesHidden
}

// leasesOf reads the Leases of some releases: each has a fixed name, and may not be there.
func (c *Client) leasesOf(namespace string, releases []string) *feed[namedLease] {
	f := c.leases(namespace)
	f.list = func(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
		var mu sync.Mutex
		all := &coordinationv1.LeaseList{}
		group, ctx := errgroup.WithContext(ctx)
		for _, release := range releases {
			group.Go(func() error {
				lease, err := c.coordination.Leases(namespace).Get(ctx, leasePrefix+release, metav1.GetOptions{})
				if apierrors.IsNotFound(err) {
					return nil
				}
				if err == nil && lease.Labels[managedBy] == FieldManager {
					mu.Lock()
					defer mu.Unlock()
					all.Items = append(all.Items, *lease)
				}
				return err
			})
		}
		return all, group.Wait()
	}
	return f
}
