package faults

import (
	"fmt"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func trafficFaults() []fault {
	probes := []string{"--traffic", "--probe-image", labtest.ProbeImage}
	return []fault{
		{
			name: "a policy that admits no probe", reports: []string{"fail probe-ready cluster2"}, asks: probes,
			breaks: admitNoProbe,
			byHand: "who may run what in a cluster is its administrator's to say",
			fixes:  kubectl(remote, "delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", "no-probes"),
		},
		{
			name: "a policy that denies a cluster's calls", reports: []string{"fail traffic cluster2 cluster1"}, asks: probes,
			breaks: create(primary, `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody-from-cluster2}
spec:
  selector: {matchLabels: {kubectl-mesh.github.io/cluster: cluster1}}
  action: DENY
  rules: [{from: [{source: {principals: ["*/sa/from-cluster2"]}}]}]
`),
			byHand: "who may call whom is the user's to decide",
			fixes:  kubectl(primary, "delete", "authorizationpolicy", "nobody-from-cluster2"),
		},
		{
			name: "packets that pods do not get", reports: []string{"fail traffic cluster2 cluster1"}, asks: probes,
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.setRules(t, fmt.Sprintf("type filter hook forward priority filter; ip saddr %s ip daddr %s ct state new reject with tcp reset",
					m.place(t, remote).PodCIDR, m.place(t, primary).PodCIDR))
			},
			byHand: "routes and firewalls are for who has made them",
			fixes:  open,
		},
		{
			// Each cluster keeps to its own region.
			name: "a rule that keeps calls at home", reports: []string{"warn spread cluster1", "warn spread cluster2"}, asks: probes,
			breaks: all(
				kubectl(primary, "label", "nodes", "--all", "topology.kubernetes.io/region=here"),
				kubectl(remote, "label", "nodes", "--all", "topology.kubernetes.io/region=there"),
				create(primary, `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: at-home}
spec:
  host: "*.svc.cluster.local"
  trafficPolicy:
    outlierDetection: {consecutive5xxErrors: 100}
    loadBalancer: {localityLbSetting: {enabled: true}}
`)),
			byHand: "it may be meant so",
			fixes:  kubectl(primary, "delete", "destinationrule", "at-home"),
		},
	}
}

func admitNoProbe(t *testing.T, m *testMesh) {
	t.Helper()
	m.create(t, remote, `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-probes}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    objectSelector: {matchLabels: {app: mesh-probe}}
  validations: [{expression: "false", message: "images come from registry.example only"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-probes}
spec: {policyName: no-probes, validationActions: [Deny]}
`)
	until(t, "the policy is in force", func() (bool, string) {
		r := m.Run(t, "kubectl", "--context", remote, "run", "try", "--image=none", "--labels=app=mesh-probe", "--dry-run=server")
		return r.Code != 0, r.Stdout
	})
}
