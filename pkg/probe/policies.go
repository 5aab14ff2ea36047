package probe

import (
	"cmp"
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// readPolicies looks in Istio's namespace, where a policy is the whole mesh's, and in the probes' for policies that may
// forbid calls. They explain a failure; where they can't be read it stays without that explanation.
func (r *runner) readPolicies(ctx context.Context) {
	primary := r.clusters[r.Primary]
	if primary == nil {
		return
	}
	for _, namespace := range []string{r.Namespace, r.traffic.Namespace} {
		list, err := primary.Dynamic().Resource(istio.AuthorizationPolicies()).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			continue
		}
		for _, item := range list.Items {
			ofProbes := namespace == r.traffic.Namespace
			if ofProbes && item.GetName() == app {
				continue // our own
			}
			if p := r.policyOf(&item, ofProbes); p.Probes || p.Gateway {
				r.traffic.Policies = append(r.traffic.Policies, p)
			}
		}
	}
}

// policyOf tells of a policy whom it is about. One in the probes' namespace is none of the gateway's.
func (r *runner) policyOf(item *unstructured.Unstructured, ofProbes bool) snapshot.Policy {
	action, _, _ := unstructured.NestedString(item.Object, "spec", "action")
	selected, _, _ := unstructured.NestedStringMap(item.Object, "spec", "selector", "matchLabels")
	targets, _, _ := unstructured.NestedSlice(item.Object, "spec", "targetRefs")
	_, targeted, _ := unstructured.NestedMap(item.Object, "spec", "targetRef")
	selector := labels.SelectorFromSet(selected)
	sidecars := !targeted && len(targets) == 0 // what has a target is a waypoint's or a Gateway API gateway's
	anyProbe := slices.ContainsFunc(r.Clusters, func(name string) bool { return selector.Matches(labels.Set(probeLabels(name))) })
	return snapshot.Policy{
		Namespace: item.GetNamespace(), Name: item.GetName(), Action: cmp.Or(action, "ALLOW"),
		Probes:  sidecars && anyProbe,
		Gateway: sidecars && !ofProbes && selector.Matches(labels.Set(wellknown.EastWestGatewayLabels())),
	}
}
