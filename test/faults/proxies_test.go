package faults

import "testing"

func proxyFaults() []fault {
	return []fault{
		{
			name: "a sidecar that refuses its configuration", reports: []string{"fail proxies cluster1"},
			breaks: create(primary, `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: broken}
spec:
  workloadSelector: {labels: {istio: eastwestgateway}}
  configPatches:
  - applyTo: CLUSTER
    match: {context: GATEWAY}
    patch: {operation: ADD, value: {name: broken, type: STATIC, connect_timeout: -1s}}
`),
			byHand: "which of the user's resources is wrong must be found first",
			fixes:  kubectl(primary, "delete", "envoyfilter", "broken"),
		},
		{
			name: "a cluster detached while its pods run on", reports: []string{"fail unknown-cluster cluster1"},
			breaks: all(
				withSidecars(remote, "annex"),
				kubectl(remote, "-n", "annex", "run", "app", "--image=docker.io/curlimages/curl:8.16.0", "--command", "--", "/bin/sleep", "infinity"),
				kubectl(remote, "-n", "annex", "wait", "--for=condition=Ready", "pod/app", "--timeout=5m"),
				kubectl(primary, "delete", "secret", remoteSecret),
			),
			byHand: "whether that cluster is to be in the mesh is the user's to decide",
			fixes:  func(t *testing.T, m *testMesh) { t.Helper(); m.attach(t, remote) },
			tidies: without(remote, "annex"),
		},
		{
			name: "an ambient data plane", reports: []string{"warn mixed-ambient cluster2"},
			breaks: create(remote, `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ztunnel, labels: {app: ztunnel}}
spec:
  selector: {matchLabels: {app: ztunnel}}
  template:
    metadata: {labels: {app: ztunnel}}
    spec: {nodeSelector: {none: such}, containers: [{name: ztunnel, image: none.invalid/ztunnel}]}
`),
			byHand: "only who made it knows how it is removed",
			fixes:  kubectl(remote, "delete", "daemonset", "ztunnel"),
		},
	}
}
