package cluster

import (
	"context"
	"errors"
	"maps"
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

// readNamed reads what the named releases consist of: what their Services' selectors match, and meanwhile all Services, of
// which others may belong to the releases or decide over them. It returns nil where that would not show the releases as the
// whole namespace does.
func (c *Client) readNamed(ctx context.Context, namespace string, want Want) (*Live, error) {
	l := c.live(namespace)
	var parts []*part
	for _, name := range want.Names {
		service, ok := canary.ServiceNamed(name)
		if !ok {
			return nil, nil
		}
		parts = append(parts, &part{live: l, name: service})
	}
	var group errgroup.Group
	group.Go(func() error { return l.services.load(ctx) })
	if want.Autoscalers {
		group.Go(func() error { return l.ReadAutoscalers(ctx) })
	}
	for _, p := range parts {
		group.Go(func() error { return p.read(ctx) })
	}
	if err := group.Wait(); err != nil {
		return nil, unlessWide(err)
	}
	services := l.Snapshots()[0].Services
	for _, p := range parts {
		group.Go(func() error { return p.readTwins(ctx, services) })
	}
	if err := group.Wait(); err != nil {
		return nil, unlessWide(err)
	}
	s := l.Snapshots()[0]
	if slices.ContainsFunc(parts, func(p *part) bool { return !canary.Suffices(s, p.service, p.owners) }) {
		return nil, nil
	}
	matter := canary.Selecting(s)
	l.services.retain(func(s canary.Service) bool { return matter[s.Name] })
	return l, nil
}

// errWide says that labels do not single a release out.
var errWide = errors.New("the whole namespace has to be read")

// unlessWide drops an error that reading the whole namespace may not have: there may be no such Service, or ReplicaSets may
// be hidden. Of what is hidden in any case that says the same again.
func unlessWide(err error) error {
	if errors.Is(err, errWide) || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// part is what the selector of one Service matches.
type part struct {
	live    *Live
	name    string // of the Service
	service canary.Service
	owners  []string // UIDs of the Deployments that own ReplicaSets
}

func (p *part) read(ctx context.Context) error {
	c, ns := p.live.client, p.live.namespace
	svc, err := c.core.Services(ns).Get(ctx, p.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if p.service = toService(svc); len(p.service.Selector) == 0 {
		return errWide
	}
	selector := labels.Set(p.service.Selector).String()
	replicaSets := c.replicaSetOwners(ns).selecting(selector)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return replicaSets.load(ctx) })
	group.Go(func() error { return p.live.deployments.add(ctx, c.deployments(ns).selecting(selector)) })
	group.Go(func() error { return p.live.pods.add(ctx, c.podNames(ns).selecting(selector)) })
	p.readServed(ctx, group, []string{p.name})
	err = group.Wait()
	replicaSets.each(func(_, owner string) { p.owners = append(p.owners, owner) })
	return err
}

// maxTwins is how many more Services a release may have; more are a sign that labels do not single it out.
const maxTwins = 8

// readTwins reads the same of the Services that may belong to the release too.
func (p *part) readTwins(ctx context.Context, services []canary.Service) error {
	i := slices.IndexFunc(services, func(s canary.Service) bool { return s.Name == p.name })
	twins := canary.Twins(services, p.service)
	if i < 0 || !maps.Equal(services[i].Selector, p.service.Selector) || len(twins) > maxTwins {
		return errWide
	}
	if len(twins) == 0 {
		return nil
	}
	names := make([]string, len(twins))
	for i, s := range twins {
		names[i] = s.Name
	}
	group, ctx := errgroup.WithContext(ctx)
	p.readServed(ctx, group, names)
	return group.Wait()
}

// readServed reads what goes by the names of Services.
func (p *part) readServed(ctx context.Context, group *errgroup.Group, names []string) {
	l, of := p.live, discoveryv1.LabelServiceName+" in ("+strings.Join(names, ",")+")"
	group.Go(func() error { return l.endpoints.add(ctx, l.client.endpoints(l.namespace).selecting(of)) })
	group.Go(func() error {
		none, err := hidden(l.leases.add(ctx, l.client.leasesOf(l.namespace, names)))
		if none {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.leasesHidden = true
		}
		return err
	})
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
