package faults

import (
	"encoding/json"
	"strings"
	"testing"
)

func controlPlaneFaults() []fault {
	return []fault{
		{
			name: "istiod may not manage remotes", reports: []string{"fail external-off cluster1"},
			breaks: kubectl(primary, "set", "env", "deployment/istiod", "EXTERNAL_ISTIOD=false"),
		},
		{
			name: "a primary without a name", reports: []string{"fail name-default Kubernetes"},
			breaks: kubectl(primary, "set", "env", "deployment/istiod", "CLUSTER_ID=Kubernetes"),
		},
		{
			name: "no istiod runs", reports: []string{"fail istiod-ready cluster1"},
			breaks: kubectl(primary, "scale", "deployment/istiod", "--replicas=0"),
		},
		{
			name: "an istiod of another release", reports: []string{"warn version-skew cluster1"},
			breaks: kubectl(primary, "set", "image", "deployment/istiod", "discovery=docker.io/istio/pilot:1.28.3"),
			byHand: "which of the releases is meant is for the user to say",
			fixes:  kubectl(primary, "rollout", "undo", "deployment/istiod"),
		},
		{
			name: "a remote with an istiod of its own", reports: []string{"fail own-control-plane cluster2"},
			breaks: create(remote, `apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, labels: {app: istiod, istio.io/rev: default}}
spec:
  replicas: 0
  selector: {matchLabels: {app: istiod}}
  template:
    metadata: {labels: {app: istiod}}
    spec: {containers: [{name: discovery, image: "docker.io/istio/pilot:1.29.1"}]}
`),
			byHand: "only who made it knows how it is removed",
			fixes:  kubectl(remote, "delete", "deployment", "istiod"),
		},
		{
			name: "no annotation", reports: []string{"fail annotation-missing cluster2"},
			breaks: kubectl(remote, "annotate", "namespace", namespace, "topology.istio.io/controlPlaneClusters-"),
		},
		{
			name: "another primary's annotation", reports: []string{"fail annotation-missing cluster2"},
			breaks: kubectl(remote, "annotate", "namespace", namespace, "topology.istio.io/controlPlaneClusters=east", "--overwrite"),
		},
		{
			name: "a replica that could not read the remote", reports: []string{"fail sync-partial cluster2"},
			breaks: secondReplicaIsDeaf,
			tidies: all(open, kubectl(primary, "scale", "deployment/istiod", "--replicas=1")),
		},
		{
			name: "an istiod that can't reach the remote", reports: []string{"fail not-synced cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				secret := m.secretYAML(t, remoteSecret, remote, m.kubeconfig(t))
				m.kubectl(t, primary, "delete", "secret", remoteSecret)
				m.await(t, []string{"fail secret-missing cluster2"}, remote) // by now istiod has forgotten it
				m.pastTheRemote(t, "ip saddr "+m.place(t, primary).PodCIDR)
				m.create(t, primary, secret)
			},
			byHand: "why packets of the primary's pods are lost must be found on their way",
			fixes:  open,
		},
		{
			// Istio 1.29 does whenever the kubeconfig in a secret changes.
			name: "an istiod that has given up the remote", reports: []string{"fail not-synced cluster2"},
			breaks: func(t *testing.T, m *testMesh) { t.Helper(); m.changeKubeconfig(t, m.kubeconfig(t)+"\n") },
		},
		{
			name: "a remote of another mesh", reports: []string{"fail mesh-id cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				values := m.kubectl(t, remote, "get", "configmap", "values", "-o", `jsonpath={.data.merged-values}`)
				other := strings.Replace(values, `"meshID": "mesh1"`, `"meshID": "mesh2"`, 1)
				patch, err := json.Marshal(map[string]any{"data": map[string]string{"merged-values": other}})
				if err != nil || other == values {
					t.Fatalf("the values have no mesh id: %v\n%s", err, values)
				}
				m.kubectl(t, remote, "patch", "configmap", "values", "--type=merge", "-p", string(patch))
			},
		},
	}
}

// secondReplicaIsDeaf starts a second istiod whose packets to the remote are lost, while those of the first get there,
// and those of whoever comes after it.
func secondReplicaIsDeaf(t *testing.T, m *testMesh) {
	t.Helper()
	addresses := func() []string { return m.istiods(t, ".status.podIP") }
	first := addresses()[0]
	m.pastTheRemote(t, "ip saddr "+m.place(t, primary).PodCIDR+" ip saddr != "+first)
	m.kubectl(t, primary, "scale", "deployment/istiod", "--replicas=2")
	until(t, "the second istiod has an address", func() (bool, string) {
		return len(addresses()) == 2, strings.Join(addresses(), " ")
	})
	for _, address := range addresses() {
		if address != first {
			m.pastTheRemote(t, "ip saddr "+address)
		}
	}
}
