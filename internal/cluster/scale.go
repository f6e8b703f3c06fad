package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// scalePatch is the one write there is: it holds only while the Deployment is the one that was read, at the replicas
// that were read. The scale of 0 has no replicas field.
func scalePatch(uid string, from, to int) ([]byte, error) {
	ops := []operation{{"test", "/metadata/uid", uid}, {"test", "/spec/replicas", from}, {"replace", "/spec/replicas", to}}
	if from == 0 {
		ops[1].Value, ops[2].Op = nil, "add"
	}
	return json.Marshal(ops)
}

// Scale sets the replicas of a Deployment from what the caller saw to what it wants. Where another writer was faster it
// returns a *canary.ConflictError. An answer that was lost is settled by reading back. A signal does not cut it off.
func (l *Live) Scale(ctx context.Context, d canary.Deployment, to int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	for began, attempt := time.Now(), 0; ; attempt++ {
		version, err := l.client.patchScale(ctx, l.namespace, d, to, nil)
		if err == nil {
			l.wrote(l.deployments, d.Name, version)
			return nil
		}
		if refused(err) {
			return err
		}
		now, readErr := l.readBack(ctx, d.Name)
		switch {
		case apierrors.IsNotFound(readErr):
			return &canary.ConflictError{Deployment: d.Name, Want: d.Replicas, Gone: true}
		case readErr != nil:
			return errors.Join(err, fmt.Errorf("and what became of it could not be read: %w", readErr))
		case apierrors.IsInvalid(err) && !moved(now, d):
			return err // an admission policy: nothing has changed
		case moved(now, d) && (attempt == 0 && apierrors.IsInvalid(err) || string(now.UID) != d.UID || replicas(now) != to):
			return l.conflict(ctx, now, d)
		case moved(now, d):
			l.wrote(l.deployments, d.Name, now.ResourceVersion)
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrNoAnswer) || attempt > 0 && (answered(err) || l.client.patient.over(began)):
			return err
		}
	}
}

// answered says that the server has said no, whether or not it has carried it out.
func answered(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status)
}

func (l *Live) readBack(ctx context.Context, name string) (*appsv1.Deployment, error) {
	ctx, cancel := settling(ctx)
	defer cancel()
	return l.client.apps.Deployments(l.namespace).Get(ctx, name, metav1.GetOptions{})
}

// DryRun asks the server whether it would take the write, which it does not keep.
func (l *Live) DryRun(ctx context.Context, d canary.Deployment, to int) error {
	_, err := l.client.patchScale(ctx, l.namespace, d, to, []string{metav1.DryRunAll})
	if apierrors.IsInvalid(err) {
		now, readErr := l.readBack(ctx, d.Name)
		if readErr == nil && moved(now, d) {
			return l.conflict(ctx, now, d)
		}
	}
	return err
}

func (c *Client) patchScale(ctx context.Context, namespace string, d canary.Deployment, to int, dryRun []string) (version string, err error) {
	patch, err := scalePatch(d.UID, d.Replicas, to)
	if err != nil {
		return "", err
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	opts := metav1.PatchOptions{FieldManager: FieldManager, DryRun: dryRun}
	var scale autoscalingv1.Scale
	err = c.apps.RESTClient().Patch(types.JSONPatchType).
		Namespace(namespace).Resource("deployments").Name(d.Name).SubResource("scale").
		VersionedParams(&opts, parameterCodec).Body(patch).Do(ctx).Into(&scale)
	return scale.ResourceVersion, err
}

// refused says that the server has answered, and the answer is no: nothing was written, and nothing is to be settled.
func refused(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code >= 400 && code < 500 && !apierrors.IsInvalid(err) && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err)
}

// Conflict names who has changed a Deployment, which is no longer as given; nil where it is so again.
func (l *Live) Conflict(ctx context.Context, d canary.Deployment) error {
	now, err := l.readBack(ctx, d.Name)
	if apierrors.IsNotFound(err) {
		return &canary.ConflictError{Deployment: d.Name, Want: d.Replicas, Gone: true}
	}
	if err != nil {
		return &canary.ConflictError{Deployment: d.Name, Want: d.Replicas, Found: -1}
	}
	if !moved(now, d) {
		return nil
	}
	return l.conflict(ctx, now, d)
}

func replicas(d *appsv1.Deployment) int { return toDeployment(d).Replicas }

func moved(now *appsv1.Deployment, seen canary.Deployment) bool {
	return string(now.UID) != seen.UID || replicas(now) != seen.Replicas
}

// conflict names the other writer, as far as the object's managed fields and what was read before tell.
func (l *Live) conflict(ctx context.Context, now *appsv1.Deployment, seen canary.Deployment) error {
	d := toDeployment(now)
	out := &canary.ConflictError{
		Deployment: seen.Name, Want: seen.Replicas, Found: d.Replicas, Replaced: d.UID != seen.UID, Writer: d.Writer, Seen: l.client.Now(),
	}
	s := *l.Snapshot()
	if d.Writer.Autoscaler() { // which may be newer than those that were read
		ctx, cancel := settling(ctx)
		defer cancel()
		if feed := l.client.autoscalers(l.namespace); feed.load(ctx) == nil {
			s.Autoscalers = nil
			feed.each(func(_ string, a canary.Autoscaler) { s.Autoscalers = append(s.Autoscalers, a) })
		}
	}
	out.Actor, _ = s.ActorOf(&d)
	return out
}
