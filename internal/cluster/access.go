package cluster

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WhoAmI returns the user's name as the API server sees it, "unknown" where it does not tell.
func (c *Client) WhoAmI(ctx context.Context) string {
	review, err := c.authentication.SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || review.Status.UserInfo.Username == "" {
		return "unknown"
	}
	return review.Status.UserInfo.Username
}

// MayScale says whether the user may scale a Deployment, or with an empty name any. It is advice: a server that does not
// answer counts as yes, and the write itself decides.
func (c *Client) MayScale(ctx context.Context, namespace, name string) bool {
	return c.may(ctx, authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: "patch", Group: "apps", Resource: "deployments", Subresource: "scale", Name: name,
	})
}

// MayDrain says whether the user may take pods out of their Services, with the same caution.
func (c *Client) MayDrain(ctx context.Context, namespace string) bool {
	return c.may(ctx, authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "patch", Resource: "pods"})
}

func (c *Client) may(ctx context.Context, what authorizationv1.ResourceAttributes) bool {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &what}}
	answer, err := c.authorization.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	return err != nil || answer.Status.Allowed
}

// Namespaces returns the names of all namespaces.
func (c *Client) Namespaces(ctx context.Context) ([]string, error) {
	list, err := c.core.Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].Name
	}
	return names, nil
}
