package probe

import (
	"context"
	"slices"

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
		policies, err := istio.Policies(ctx, primary, namespace)
		if err != nil {
			continue
		}
		for _, policy := range policies {
			ofProbes := namespace == r.traffic.Namespace
			if ofProbes && policy.Name == app {
				continue // our own
			}
			if p := r.policyOf(policy, ofProbes); p.Probes || p.Gateway {
				r.traffic.Policies = append(r.traffic.Policies, p)
			}
		}
	}
}

// policyOf says whom a policy is about. One in the probes' namespace is none of the gateway's.
func (r *runner) policyOf(p istio.Policy, ofProbes bool) snapshot.Policy {
	return snapshot.Policy{
		Namespace: p.Namespace, Name: p.Name, Action: p.Action,
		Probes:  slices.ContainsFunc(r.Clusters, func(name string) bool { return p.Selects(probeLabels(name)) }),
		Gateway: !ofProbes && p.Selects(wellknown.EastWestGatewayLabels()),
	}
}
