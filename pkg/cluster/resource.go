package cluster

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
)

// ResourceFor finds the API resource of an object, for apply.Applier. For kinds that istiod does not read, Istio's client asks the
// API server which resources it has; for Kubernetes' own kinds that is not needed.
func (c *Cluster) ResourceFor(kind schema.GroupVersionKind, object *unstructured.Unstructured, namespace string) (dynamic.ResourceInterface, error) {
	if namespace != "" || !scheme.Scheme.Recognizes(kind) {
		return c.DynamicClientFor(kind, object, namespace)
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	resource := c.Dynamic().Resource(plural)
	switch {
	case slices.Contains(clusterWide(), kind.Kind):
		return resource, nil
	case object.GetNamespace() != "":
		return resource.Namespace(object.GetNamespace()), nil
	}
	return c.DynamicClientFor(kind, object, namespace)
}

// clusterWide are the kinds, of those in Istio's charts and of Kubernetes' own, that are in no namespace.
func clusterWide() []string {
	return []string{"Namespace", "ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
}
