package cluster

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// Objects is what an examination looks at beyond a snapshot: whole objects, and what the user may do.
type Objects struct {
	Services    []*corev1.Service
	Deployments []*appsv1.Deployment
	Slices      []*discoveryv1.EndpointSlice
	Pods        []*corev1.Pod
	// What the user may not list is not there; Allowed says so.
	Budgets []*policyv1.PodDisruptionBudget
	Claims  []*corev1.PersistentVolumeClaim
	Nodes   []*corev1.Node
	AllPods []*corev1.Pod // of all namespaces, but those that have ended
	Allowed map[canary.Permission]bool
	User    string
}

// Examine reads everything of a namespace that may decide how a move goes, and asks about permissions. What few may
// read it reads only where ask names it and the answer is yes.
func (c *Client) Examine(ctx context.Context, namespace string, ask []canary.Permission) (*Live, *Objects, error) {
	out := &Objects{}
	var live *Live
	group, reads := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		live, err = c.readAll(reads, namespace, Want{WholePods: true, Autoscalers: true, Limits: true, keep: out})
		return err
	})
	group.Go(func() error { out.User = c.WhoAmI(reads); return nil })
	group.Go(func() error {
		out.Allowed = c.allowed(reads, namespace, ask)
		return c.readOptional(reads, namespace, out)
	})
	return live, out, group.Wait()
}

// keepFrom lets the feeds keep the objects that they read.
func (o *Objects) keepFrom(l *Live) {
	keeping(l.services, &o.Services)
	keeping(l.deployments, &o.Deployments)
	keeping(l.endpoints, &o.Slices)
	keeping(l.pods, &o.Pods)
}

func keeping[T any, O runtime.Object](f *feed[T], into *[]O) {
	convert := f.convert
	f.convert = func(o runtime.Object) (T, bool) {
		if object, ok := o.(O); ok {
			*into = append(*into, object)
		}
		return convert(o)
	}
}

func (c *Client) allowed(ctx context.Context, namespace string, ask []canary.Permission) map[canary.Permission]bool {
	var mu sync.Mutex
	var group errgroup.Group
	all := make(map[canary.Permission]bool, len(ask))
	for _, p := range ask {
		group.Go(func() error {
			resource, subresource := p.Kind()
			what := authorizationv1.ResourceAttributes{Verb: p.Verb, Group: p.Group, Resource: resource, Subresource: subresource, Namespace: namespace}
			if p.Cluster {
				what.Namespace = ""
			}
			yes := c.may(ctx, what)
			mu.Lock()
			defer mu.Unlock()
			all[p] = yes
			return nil
		})
	}
	_ = group.Wait()
	return all
}

func (c *Client) readOptional(ctx context.Context, namespace string, o *Objects) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	read := func(of canary.Permission, list func() error) {
		mu.Lock()
		defer mu.Unlock()
		if !o.Allowed[of] {
			return
		}
		group.Go(func() error {
			none, err := hidden(list())
			mu.Lock()
			defer mu.Unlock()
			o.Allowed[of] = !none
			return err
		})
	}
	all := metav1.ListOptions{}
	read(canary.ListBudgets, func() error {
		list, err := c.policy.PodDisruptionBudgets(namespace).List(ctx, all)
		if err == nil {
			o.Budgets = pointers(list.Items)
		}
		return err
	})
	read(canary.ListClaims, func() error {
		list, err := c.core.PersistentVolumeClaims(namespace).List(ctx, all)
		if err == nil {
			o.Claims = pointers(list.Items)
		}
		return err
	})
	read(canary.ListNodes, func() error {
		list, err := c.core.Nodes().List(ctx, all)
		if err == nil {
			o.Nodes = pointers(list.Items)
		}
		return err
	})
	read(canary.ListAllPods, func() error {
		list, err := c.core.Pods("").List(ctx, metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
		if err == nil {
			o.AllPods = pointers(list.Items)
		}
		return err
	})
	return group.Wait()
}

func pointers[T any](items []T) []*T {
	all := make([]*T, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}
