package probe

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// readGatewayPolicies reads what the AuthorizationPolicies that bind the gateway's pods say of the ports that lead to istiod.
// Without a pod nobody is bound, which a check says.
func readGatewayPolicies(ctx context.Context, primary *cluster.Cluster, seen *snapshot.Cluster, t Target, note notes) {
	ctx, cancel := observe.Bounded(ctx, observe.AnswerTimeout)
	defer cancel()
	pods, err := primary.Kube().CoreV1().Pods(t.Namespace).List(ctx, metav1.ListOptions{LabelSelector: wellknown.EastWestGatewaySelector})
	if err == nil && len(pods.Items) == 0 {
		return
	}
	var policies []istio.Policy
	if err == nil {
		gateway := istio.Workload{Labels: pods.Items[0].Labels}
		namespaces := []string{t.Namespace}
		for _, plane := range seen.ControlPlanes {
			if plane.Revision == gateway.Labels[wellknown.RevisionLabel] && plane.RootNamespace != "" && plane.RootNamespace != t.Namespace {
				namespaces = append(namespaces, plane.RootNamespace) // its policies bind all namespaces
			}
		}
		for _, injector := range seen.Injectors {
			if injector.Tag != "" && injector.Revision == gateway.Labels[wellknown.RevisionLabel] {
				gateway.Tags = append(gateway.Tags, injector.Tag)
			}
		}
		policies, err = istio.Policies(ctx, primary, namespaces, gateway, []int{wellknown.PortXDS, wellknown.PortWebhook})
	}
	if err != nil {
		note(seen, snapshot.PoliciesPart, err)
		return
	}
	for _, p := range policies {
		seen.GatewayPolicies = append(seen.GatewayPolicies, snapshot.GatewayPolicy(p))
	}
}
