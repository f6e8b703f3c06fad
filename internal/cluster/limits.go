package cluster

import (
	"context"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

func (c *Client) quotas(ns string) *feed[canary.Quota] {
	api := c.core.ResourceQuotas(ns)
	return &feed[canary.Quota]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (canary.Quota, bool) {
		return toQuota(o.(*corev1.ResourceQuota)), true
	}}
}

func (c *Client) limitRanges(ns string) *feed[canary.LimitRange] {
	api := c.core.LimitRanges(ns)
	return &feed[canary.LimitRange]{list: listOf(api.List), watch: api.Watch, convert: func(o runtime.Object) (canary.LimitRange, bool) {
		return toLimitRange(o.(*corev1.LimitRange)), true
	}}
}

// ReadLimits reads what bounds the pods of the namespace, again where it was read before. Of what the user may not see
// nothing is known: the API server decides then.
func (l *Live) ReadLimits(ctx context.Context) error {
	var noQuotas, noRanges bool
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		noQuotas, err = hidden(l.quotas.load(ctx))
		return err
	})
	group.Go(func() (err error) {
		noRanges, err = hidden(l.limitRanges.load(ctx))
		return err
	})
	err := group.Wait()
	l.limitsHidden = noQuotas || noRanges
	return err
}

// LimitsHidden says that the user may not see all that bounds the pods of the namespace.
func (l *Live) LimitsHidden() bool { return l.limitsHidden }

// toQuota takes what the API server goes by: not what is asked for, but what it has taken in and counted.
func toQuota(q *corev1.ResourceQuota) canary.Quota {
	out := canary.Quota{Name: q.Name, Hard: toAmounts(q.Status.Hard), Used: toAmounts(q.Status.Used)}
	for _, scope := range q.Spec.Scopes {
		out.Scopes = append(out.Scopes, canary.QuotaScope{Name: string(scope), Operator: string(corev1.ScopeSelectorOpExists)})
	}
	if q.Spec.ScopeSelector != nil {
		for _, m := range q.Spec.ScopeSelector.MatchExpressions {
			out.Scopes = append(out.Scopes, canary.QuotaScope{Name: string(m.ScopeName), Operator: string(m.Operator), Values: m.Values})
		}
	}
	return out
}

// toLimitRange leaves out what is of no pod.
func toLimitRange(l *corev1.LimitRange) canary.LimitRange {
	out := canary.LimitRange{Name: l.Name}
	for _, item := range l.Spec.Limits {
		if item.Type != corev1.LimitTypeContainer && item.Type != corev1.LimitTypePod {
			continue
		}
		out.Items = append(out.Items, canary.LimitRangeItem{
			Pod: item.Type == corev1.LimitTypePod,
			Min: toAmounts(item.Min), Max: toAmounts(item.Max), Ratio: toAmounts(item.MaxLimitRequestRatio),
			Default: toAmounts(item.Default), DefaultRequest: toAmounts(item.DefaultRequest),
		})
	}
	return out
}
