package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Manifest is an object as a file has it, and where it goes.
type Manifest struct {
	Resource schema.GroupVersionResource
	Object   *unstructured.Unstructured // with its namespace, where it has one
}

// ApplyOptions are how a manifest is applied.
type ApplyOptions struct {
	Force  bool // takes over the fields that others manage
	DryRun bool // asks the server, which keeps nothing
	Keep   bool // a Deployment that is there keeps its replicas
}

// outdatedTries is how often a Deployment is read again that changes between being read and applied: its status does, too.
const outdatedTries = 20

// Apply is a server-side apply of one object. With Keep it sends the replicas that the Deployment has, since leaving out
// a field that it has applied before resets it, and the version that they were read from: who changes them in between makes
// it read again. An answer that was lost is settled by applying again. A signal does not cut a request off.
func (c *Client) Apply(ctx context.Context, m Manifest, o ApplyOptions) (*metav1.PartialObjectMetadata, error) {
	for began, attempt := time.Now(), 0; ; attempt++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		object, err := m.Object, error(nil)
		if o.Keep {
			object, err = c.keepReplicas(ctx, object)
		}
		if err != nil {
			return nil, err
		}
		applied, err := c.patchApply(ctx, m.Resource, object, o)
		switch {
		case err == nil:
			return applied, nil
		case (outdated(err) || o.Keep && rescaled(err)) && attempt < outdatedTries:
		case answered(err), errors.Is(err, ErrNoAnswer), c.patient.over(began):
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(minBackoff):
		}
	}
}

// keepReplicas is the object with the replicas of the Deployment that is there, and the version that has them.
func (c *Client) keepReplicas(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live, err := c.apps.Deployments(object.GetNamespace()).Get(ctx, object.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return object, nil
	}
	if err != nil {
		return nil, err
	}
	return withReplicas(object, live)
}

func withReplicas(object *unstructured.Unstructured, live *appsv1.Deployment) (*unstructured.Unstructured, error) {
	object = object.DeepCopy()
	object.SetResourceVersion(live.ResourceVersion)
	return object, unstructured.SetNestedField(object.Object, int64(replicas(live)), "spec", "replicas")
}

// outdated says that the object has changed since it was read. A field that another manages is a conflict, too: of its own
// kind, with a cause for each.
func outdated(err error) bool { return apierrors.IsConflict(err) && len(othersFields(err)) == 0 }

// rescaled says that the replicas are others than those that were read: who manages them is asked before the version.
func rescaled(err error) bool {
	return apierrors.IsConflict(err) && slices.Contains(othersFields(err), ".spec.replicas")
}

// othersFields are those that others manage.
func othersFields(err error) (all []string) {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			all = append(all, cause.Field)
		}
	}
	return all
}

// ManagedByOthers says that fields of an object are managed by others, and what was applied has other values.
func ManagedByOthers(err error) bool { return apierrors.IsConflict(err) && !outdated(err) }

// CannotBeTried says that an admission webhook has side effects, so that a dry run cannot tell what it would say.
func CannotBeTried(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

func (c *Client) patchApply(ctx context.Context, resource schema.GroupVersionResource, object *unstructured.Unstructured, o ApplyOptions) (*metav1.PartialObjectMetadata, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	opts := metav1.PatchOptions{FieldManager: FieldManager, Force: &o.Force, FieldValidation: metav1.FieldValidationStrict}
	if o.DryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	result := c.core.RESTClient().Patch(types.ApplyPatchType).AbsPath(pathOf(resource, object)...).
		SetHeader("Accept", "application/json").VersionedParams(&opts, parameterCodec).Body(body).Do(ctx)
	if err := result.Error(); err != nil {
		return nil, err // in the server's words, which Raw does not look for
	}
	answer, err := result.Raw()
	if err != nil {
		return nil, err
	}
	applied := &metav1.PartialObjectMetadata{}
	return applied, json.Unmarshal(answer, applied)
}

func pathOf(resource schema.GroupVersionResource, object *unstructured.Unstructured) []string {
	path := []string{"apis", resource.Group, resource.Version}
	if resource.Group == "" {
		path = []string{"api", resource.Version}
	}
	if ns := object.GetNamespace(); ns != "" {
		path = append(path, "namespaces", ns)
	}
	return append(path, resource.Resource, object.GetName())
}

// Applied notes what an apply has made of an object, so that Observe shows nothing older.
func (l *Live) Applied(m Manifest, applied *metav1.PartialObjectMetadata) {
	switch m.Resource.GroupResource() {
	case appsv1.Resource("deployments"):
		l.wrote(l.deployments, applied.Name, applied.ResourceVersion)
	case corev1.Resource("services"):
		l.wrote(l.services, applied.Name, applied.ResourceVersion)
	}
}
