package faults

import (
	"strings"
	"testing"
)

func trustFaults() []fault {
	return []fault{
		{
			name: "istiod gave up on the root certificate", reports: []string{"fail root-cm-missing cluster2"},
			breaks: whileForbidden("create", "configmaps", `[{"op":"replace","path":"/rules/11/verbs","value":["get","list","watch","update"]}]`,
				kubectl(remote, "delete", "configmap", "istio-ca-root-cert"), rootFailures),
		},
		{
			name: "istiod gave up on a namespace's root certificate", reports: []string{"fail root-cm-missing cluster2"},
			breaks: all(withSidecars(remote, "office"), whileForbidden("create", "configmaps", `[{"op":"replace","path":"/rules/11/verbs","value":["get","list","watch","update"]}]`,
				kubectl(remote, "-n", "office", "delete", "configmap", "istio-ca-root-cert"), rootFailures)),
			tidies: without(remote, "office"),
		},
		{
			name: "another root certificate", reports: []string{"fail roots-differ cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				// istiod can't write an immutable one.
				ca := m.kubectl(t, primary, "get", "configmap", "kube-root-ca.crt", "-o", `jsonpath={.data.ca\.crt}`)
				m.kubectl(t, remote, "patch", "configmap", "istio-ca-root-cert", "--type=merge", "-p",
					`{"immutable":true,"data":{"root-cert.pem":"`+strings.ReplaceAll(ca, "\n", `\n`)+`"}}`)
			},
		},
		{
			name: "somebody else answers at the gateway", reports: []string{"fail gateway-trust cluster1"},
			breaks: atGateway(15012, "nat hook prerouting priority -110", "redirect to :6443"),
			byHand: "who leads packets astray must be found on their way",
			fixes:  open,
		},
	}
}

// rootFailures counts how often istiod has given up to write a root certificate, which it does at once.
func rootFailures(t *testing.T, m *testMesh) int {
	t.Helper()
	return strings.Count(m.kubectl(t, primary, "logs", "deployment/istiod"), "skip writing ConfigMap")
}
