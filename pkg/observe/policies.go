package observe

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addGatewayPolicies reads what the AuthorizationPolicies that bind the gateway's pods say of the ports that lead to istiod.
// Without a pod nobody is bound, which a check says.
func addGatewayPolicies(ctx context.Context, primary *cluster.Cluster, seen *snapshot.Cluster, t Target, found *findings) {
	ctx, cancel := Bounded(ctx, AnswerTimeout)
	defer cancel()
	pods, err := primary.Kube().CoreV1().Pods(t.Namespace).List(ctx, metav1.ListOptions{LabelSelector: wellknown.EastWestGatewaySelector})
	if err == nil && len(pods.Items) == 0 {
		return
	}
	var policies []istio.Policy
	var gateway istio.Workload
	if err == nil {
		gateway.Labels = pods.Items[0].Labels
		revision := gateway.Labels[wellknown.RevisionLabel]
		namespaces := []string{t.Namespace}
		for _, plane := range seen.ControlPlanes {
			if plane.Revision == revision && plane.RootNamespace != "" && plane.RootNamespace != t.Namespace {
				namespaces = append(namespaces, plane.RootNamespace) // its policies bind all namespaces
			}
		}
		for _, injector := range seen.Injectors {
			if injector.Tag != "" && injector.Revision == revision {
				gateway.Tags = append(gateway.Tags, injector.Tag)
			}
		}
		policies, err = istio.Policies(ctx, primary, namespaces...)
	}
	if err != nil {
		found.couldNot(ctx, t.Primary, snapshot.PoliciesPart, err)
		return
	}
	found.add(t.Primary, func(c *snapshot.Cluster) {
		for _, p := range policies {
			if verdict := p.Verdict(wellknown.PortXDS, wellknown.PortWebhook); p.Enforced(gateway) {
				c.GatewayPolicies = append(c.GatewayPolicies, snapshot.GatewayPolicy{
					Namespace: p.Namespace, Name: p.Name, Action: p.Action, Surely: verdict.Surely, Perhaps: verdict.Perhaps, Always: verdict.Always,
				})
			}
		}
	})
}
