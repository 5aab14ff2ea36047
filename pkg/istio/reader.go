package istio

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"istio.io/istio/pkg/config/schema/gvr"
)

// ReadInRemotes are those of Istio's own objects that istiod reads in a remote cluster before it calls it synced
// (pilot/pkg/serviceregistry/kube/controller/multicluster.go, createWleConfigStore).
func ReadInRemotes() schema.GroupVersionResource { return gvr.WorkloadEntry }

// Need is something that istiod must be allowed in a remote cluster.
type Need struct{ Verb, Group, Resource string }

// ReaderNeeds are what istiod does in a remote cluster with the reader account (manifests/charts/base/templates/
// reader-serviceaccount.yaml and the ClusterRole that goes with it).
func ReaderNeeds() []Need {
	var needs []Need
	for _, resource := range []struct{ group, name string }{
		{"", "services"}, {"", "pods"}, {"", "nodes"}, {"", "namespaces"}, {"", "configmaps"}, {"", "secrets"},
		{"discovery.k8s.io", "endpointslices"}, {"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
	} {
		needs = append(needs, Need{"list", resource.group, resource.name}, Need{"watch", resource.group, resource.name})
	}
	return append(needs,
		Need{"create", "", "configmaps"}, Need{"update", "", "configmaps"}, // istio-ca-root-cert, leader elections
		Need{"update", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"}, // their caBundle
		Need{"create", "authentication.k8s.io", "tokenreviews"},                         // the proxies' tokens
	)
}

// MayNot is true for the API server's word that the user lacks a permission, as against that of a webhook.
func MayNot(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) }
