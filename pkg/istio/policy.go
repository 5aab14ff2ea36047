package istio

import (
	"context"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/api/annotation"
	"istio.io/api/label"
	"istio.io/api/security/v1beta1"
	securityv1 "istio.io/client-go/pkg/apis/security/v1"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/labels"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/util/sets"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// Policy is an AuthorizationPolicy with what it says of some ports to a caller of whom nothing is known, not even an
// identity: so are those whose TLS passes through a gateway.
type Policy struct {
	Namespace, Name string
	// Action is ALLOW or DENY.
	Action string
	// Surely are the ports for which one of its rules holds, Perhaps those for which one may.
	Surely, Perhaps []int
	// Always are the indexes of its rules that have no condition at all.
	Always []int
}

// Workload is what policies bind, as istiod tells it.
type Workload struct {
	// Labels are the pods'.
	Labels map[string]string
	// Tags are the revision tags of their istiod.
	Tags []string
}

// Policies are the AuthorizationPolicies of the namespaces that bind a workload and are enforced. Those that ask a
// program of the user's (CUSTOM) or only log (AUDIT) are left out: they shut nothing for certain. A cluster without
// Istio's CRDs has none.
func Policies(ctx context.Context, client kube.CLIClient, namespaces []string, of Workload, ports []int) ([]Policy, error) {
	var policies []Policy
	for _, namespace := range namespaces {
		list, err := client.Istio().SecurityV1().AuthorizationPolicies(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, p := range list.Items {
			action := p.Spec.GetAction()
			if (action == v1beta1.AuthorizationPolicy_ALLOW || action == v1beta1.AuthorizationPolicy_DENY) && of.bound(p) {
				policies = append(policies, policyOf(p, ports))
			}
		}
	}
	return policies, nil
}

// bound is istiod's own rule (pilot/pkg/model, ShouldAttachPolicy), for a gateway that is none of the Gateway API.
func (w Workload) bound(p *securityv1.AuthorizationPolicy) bool {
	if !config.LabelsInRevisionOrTags(p.Labels, w.Labels[wellknown.RevisionLabel], sets.New(w.Tags...)) {
		return false
	}
	dryRun, err := strconv.ParseBool(p.Annotations[annotation.IoIstioDryRun.Name])
	if err == nil && dryRun {
		return false
	}
	if _, ofGatewayAPI := w.Labels[label.IoK8sNetworkingGatewayGatewayName.Name]; ofGatewayAPI {
		return false // policies bind it in other ways
	}
	if p.Spec.GetTargetRef() != nil || len(p.Spec.GetTargetRefs()) > 0 {
		return false
	}
	return labels.Instance(p.Spec.GetSelector().GetMatchLabels()).SubsetOf(w.Labels)
}

func policyOf(p *securityv1.AuthorizationPolicy, ports []int) Policy {
	policy := Policy{Namespace: p.Namespace, Name: p.Name, Action: p.Spec.GetAction().String()}
	for i, rule := range p.Spec.GetRules() {
		if len(rule.GetFrom())+len(rule.GetTo())+len(rule.GetWhen()) == 0 {
			policy.Always = append(policy.Always, i)
		}
	}
	for _, port := range ports {
		if slices.ContainsFunc(p.Spec.GetRules(), func(r *v1beta1.Rule) bool { return holds(r, port, true) }) {
			policy.Surely = append(policy.Surely, port)
		}
		if slices.ContainsFunc(p.Spec.GetRules(), func(r *v1beta1.Rule) bool { return holds(r, port, false) }) {
			policy.Perhaps = append(policy.Perhaps, port)
		}
	}
	return policy
}

// holds is true for a rule that applies to connections to a port; without certainty, also where it depends on the
// caller, or on HTTP.
func holds(rule *v1beta1.Rule, port int, certainly bool) bool {
	if certainly && len(rule.GetFrom())+len(rule.GetWhen()) > 0 {
		return false
	}
	number := strconv.Itoa(port)
	return len(rule.GetTo()) == 0 || slices.ContainsFunc(rule.GetTo(), func(to *v1beta1.Rule_To) bool {
		o := to.GetOperation()
		ofHTTP := len(o.GetHosts())+len(o.GetNotHosts())+len(o.GetMethods())+len(o.GetNotMethods())+len(o.GetPaths())+len(o.GetNotPaths()) > 0
		named := len(o.GetPorts()) == 0 || slices.Contains(o.GetPorts(), number)
		return named && !slices.Contains(o.GetNotPorts(), number) && (!certainly || !ofHTTP)
	})
}
