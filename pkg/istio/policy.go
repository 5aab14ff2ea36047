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

// Policy is an AuthorizationPolicy.
type Policy struct {
	Namespace, Name string
	// Action is ALLOW, DENY, CUSTOM or AUDIT.
	Action string
	object *securityv1.AuthorizationPolicy
}

// Verdict is what a policy says of some ports to a caller of whom nothing is known, not even an identity: so are those whose
// TLS passes through a gateway.
type Verdict struct {
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

// Policies are the AuthorizationPolicies of the namespaces. A cluster without Istio's CRDs has none.
func Policies(ctx context.Context, client kube.CLIClient, namespaces ...string) ([]Policy, error) {
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
			policies = append(policies, PolicyOf(p))
		}
	}
	return policies, nil
}

// PolicyOf is the policy of an object.
func PolicyOf(p *securityv1.AuthorizationPolicy) Policy {
	return Policy{Namespace: p.Namespace, Name: p.Name, Action: p.Spec.GetAction().String(), object: p}
}

// Enforced is true for a policy that binds a workload, by istiod's own rule (pilot/pkg/model, ShouldAttachPolicy) for a gateway
// that is none of the Gateway API, and may shut a port: those that ask a program of the user's (CUSTOM) or only log (AUDIT)
// shut nothing for certain.
func (p Policy) Enforced(of Workload) bool {
	if p.Action != v1beta1.AuthorizationPolicy_ALLOW.String() && p.Action != v1beta1.AuthorizationPolicy_DENY.String() {
		return false
	}
	if !config.LabelsInRevisionOrTags(p.object.Labels, of.Labels[wellknown.RevisionLabel], sets.New(of.Tags...)) {
		return false
	}
	dryRun, err := strconv.ParseBool(p.object.Annotations[annotation.IoIstioDryRun.Name])
	if err == nil && dryRun {
		return false
	}
	if _, ofGatewayAPI := of.Labels[label.IoK8sNetworkingGatewayGatewayName.Name]; ofGatewayAPI {
		return false // policies bind it in other ways
	}
	return p.Selects(of.Labels)
}

// Selects is true for the labels of pods that a policy is about; one with a target is about a waypoint or a gateway of the
// Gateway API.
func (p Policy) Selects(pod map[string]string) bool {
	if p.object.Spec.GetTargetRef() != nil || len(p.object.Spec.GetTargetRefs()) > 0 {
		return false
	}
	return labels.Instance(p.object.Spec.GetSelector().GetMatchLabels()).SubsetOf(pod)
}

// Verdict is what a policy says of ports.
func (p Policy) Verdict(ports ...int) Verdict {
	var verdict Verdict
	rules := p.object.Spec.GetRules()
	for i, rule := range rules {
		if len(rule.GetFrom())+len(rule.GetTo())+len(rule.GetWhen()) == 0 {
			verdict.Always = append(verdict.Always, i)
		}
	}
	for _, port := range ports {
		if slices.ContainsFunc(rules, func(r *v1beta1.Rule) bool { return holds(r, port, true) }) {
			verdict.Surely = append(verdict.Surely, port)
		}
		if slices.ContainsFunc(rules, func(r *v1beta1.Rule) bool { return holds(r, port, false) }) {
			verdict.Perhaps = append(verdict.Perhaps, port)
		}
	}
	return verdict
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
