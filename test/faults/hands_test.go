package faults

import (
	"context"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/test/patience"
)

// hands are others who change the same replicas, or hold the lock.
func hands() []trial {
	const chat = `^PATCH deployments/chat-v2/scale$`
	afresh := func(s *scene) { s.reset(before) }
	return []trial{
		{
			name: "scaled-between", fault: "somebody scales chat-v2 to 2 just before the same is written",
			rules: func(s *scene) []*rule { return []*rule{on(chat, first(func() { s.scale("chat-v2", 2) })).only(1)} },
			exit:  6, end: "auth 3/1, chat 3/2", loop: "0, as planned, floor broken",
			says: []string{`^error: replicas of deployment "chat-v2" were changed from 1 to 2 meanwhile by somebody`, `^auth: put back to v1 3, v2 1 `},
			mend: afresh,
		},
		{
			name: "replaced-between", fault: "chat-v2 is deleted and created anew just before it is scaled",
			rules: func(s *scene) []*rule { return []*rule{on(chat, first(func() { s.replace("chat-v2") })).only(1)} },
			exit:  6, end: "as before", floor: 3, loop: "0, as planned, floor broken",
			says: []string{`deployment "chat-v2"`},
			mend: afresh,
		},
		{
			name: "locked", fault: "another operator holds the lock of chat",
			around: func(s *scene) func() { s.lockedBy("joe@elsewhere/1", "chat"); return func() {} },
			exit:   6, end: "as before", loop: "0, as planned, floor broken",
			says: []string{`release "chat" is being moved by joe@elsewhere/1`},
			mend: (*scene).expireLocks,
		},
		{
			name: "reverted", fault: "a GitOps controller sets all replicas back every half second",
			around: func(s *scene) func() { return s.every(500*time.Millisecond, func() { s.to(before) }) }, lasts: true,
			exit: 6, end: "as before", floor: 3, loop: "0, as before",
			// While both go on writing the API server may lose who was the last (internal/cluster/convert.go).
			says: []string{`were changed from \d to \d meanwhile( by somebody|; its managed fields do not say by whom)`},
			mend: afresh,
		},
		{
			name: "reverted-later", fault: "somebody sets auth-v1 back to 3 a second after all is done", settle: 5 * time.Second,
			rules: func(s *scene) []*rule {
				return []*rule{on(`^PATCH deployments/auth-v1/scale$`, func(c *call) {
					c.pass()
					time.AfterFunc(3*time.Second, func() { s.scale("auth-v1", 3) })
				}).only(1)}
			},
			lasts: true, exit: 6, end: "auth 3/2, chat 2/2", loop: "0, auth 3/2, chat 2/2, floor broken",
			says: []string{`auth-v1`, `by somebody`},
			mend: afresh,
		},
		{
			name: "autoscaled", fault: "an autoscaler holds chat-v1 between 3 and 5 replicas",
			around: func(s *scene) func() { return s.autoscale("chat-v1", 3, 5) },
			exit:   1, end: "as before", loop: "0, as planned, floor broken",
			says: []string{`^error: chat: .*HorizontalPodAutoscaler`},
		},
	}
}

// first does something before a request is passed on.
func first(do func()) fault {
	return func(c *call) {
		do()
		c.pass()
	}
}

// to scales all releases.
func (s *scene) to(at split) {
	for _, service := range s.services {
		s.scale(service+"-v1", at.stable)
		s.scale(service+"-v2", at.canary)
	}
}

// every does something again and again, until end.
func (s *scene) every(pause time.Duration, do func()) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(pause):
				do()
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

// replace deletes a Deployment with its pods, and creates the same anew.
func (s *scene) replace(name string) {
	ctx, api := context.Background(), cluster.client.AppsV1().Deployments(s.namespace)
	d, err := api.Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		err = api.Delete(ctx, name, metav1.DeleteOptions{})
	}
	if err == nil {
		d.ObjectMeta = metav1.ObjectMeta{Name: name, Labels: d.Labels}
		err = patience.Until(func() error {
			_, err := api.Create(ctx, d, metav1.CreateOptions{})
			return err
		})
	}
	if err != nil {
		s.Error(err)
	}
}

// lockedBy lets somebody else hold the lock of a release.
func (s *scene) lockedBy(holder, release string) {
	s.Helper()
	now, seconds := metav1.NowMicro(), int32(30)
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "kubectl-canary." + release, Labels: map[string]string{"app.kubernetes.io/managed-by": "kubectl-canary"}},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}
	_, err := cluster.client.CoordinationV1().Leases(s.namespace).Create(s.Context(), lease, metav1.CreateOptions{})
	s.must(err)
}

// autoscale gives a Deployment an autoscaler, until end.
func (s *scene) autoscale(deployment string, least, most int32) (end func()) {
	s.Helper()
	api := cluster.client.AutoscalingV2().HorizontalPodAutoscalers(s.namespace)
	_, err := api.Create(s.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: deployment},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: deployment},
			MinReplicas:    &least, MaxReplicas: most,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: "cpu", Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &most},
			}}},
		},
	}, metav1.CreateOptions{})
	s.must(err)
	return func() {
		s.must(api.Delete(context.Background(), deployment, metav1.DeleteOptions{}))
	}
}
