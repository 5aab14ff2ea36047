package observe

import (
	"cmp"
	"context"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// readPermissions asks, for each permission that the command will need, whether the user has it. Somebody who may do
// everything is asked for once.
func readPermissions(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	wanted := r.options.Permissions[r.Name]
	if len(wanted) == 0 {
		return nil, nil
	}
	all, err := may(ctx, r.Kube(), snapshot.Permission{Verb: "*", Group: "*", Resource: "*"})
	if err != nil || all {
		return nil, err
	}
	denied, err := lacking(ctx, r.Kube(), wanted)
	if err != nil {
		return nil, err
	}
	return func(c *snapshot.Cluster) { c.Denied = denied }, nil
}

// lacking are those of the permissions that the client's user does not have. All are asked about at once.
func lacking(ctx context.Context, client kubernetes.Interface, wanted []snapshot.Permission) ([]snapshot.Permission, error) {
	allowed, errs := make([]bool, len(wanted)), make([]error, len(wanted))
	var reviews sync.WaitGroup
	for i, p := range wanted {
		reviews.Go(func() { allowed[i], errs[i] = may(ctx, client, p) })
	}
	reviews.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	var denied []snapshot.Permission
	for i, p := range wanted {
		if !allowed[i] {
			denied = append(denied, p)
		}
	}
	return denied, nil
}

// may asks whether the client's user has a permission.
func may(ctx context.Context, client kubernetes.Interface, p snapshot.Permission) (bool, error) {
	resource, sub, _ := strings.Cut(p.Resource, "/")
	if resource == "namespaces" && p.Name != "" {
		p.Namespace = p.Name // a request for a namespace is one in it, so that a role there can allow it
	}
	review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx,
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: p.Verb, Group: p.Group, Resource: resource, Subresource: sub, Namespace: p.Namespace, Name: p.Name,
			},
		}}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
