package probe

import (
	"testing"

	"sigs.k8s.io/yaml"

	securityv1 "istio.io/client-go/pkg/apis/security/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestPolicyOf(t *testing.T) {
	t.Parallel()
	r := &runner{Options: Options{Clusters: []string{"east", "west"}}}
	for _, test := range []struct {
		spec     string
		ofProbes bool
		want     snapshot.Policy
	}{
		{"{}", false, snapshot.Policy{Action: "ALLOW", Probes: true, Gateway: true}},
		{"{action: DENY, rules: [{}]}", false, snapshot.Policy{Action: "DENY", Probes: true, Gateway: true}},
		{"{action: DENY, rules: [{}]}", true, snapshot.Policy{Action: "DENY", Probes: true}},
		{"{selector: {matchLabels: {istio: eastwestgateway}}}", false, snapshot.Policy{Action: "ALLOW", Gateway: true}},
		{"{selector: {matchLabels: {app: mesh-probe}}, action: CUSTOM}", false, snapshot.Policy{Action: "CUSTOM", Probes: true}},
		{"{selector: {matchLabels: {kubectl-mesh.github.io/cluster: west}}}", true, snapshot.Policy{Action: "ALLOW", Probes: true}},
		{"{selector: {matchLabels: {kubectl-mesh.github.io/cluster: north}}}", true, snapshot.Policy{Action: "ALLOW"}},
		{"{selector: {matchLabels: {app: cart}}}", false, snapshot.Policy{Action: "ALLOW"}},
		{"{targetRefs: [{kind: Gateway, name: waypoint}]}", false, snapshot.Policy{Action: "ALLOW"}},
	} {
		p := &securityv1.AuthorizationPolicy{}
		if err := yaml.Unmarshal([]byte("{spec: "+test.spec+"}"), p); err != nil {
			t.Fatal(err)
		}
		if got := r.policyOf(istio.PolicyOf(p), test.ofProbes); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.spec, got, test.want)
		}
	}
}
