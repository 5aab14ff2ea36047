package faults

import (
	"fmt"
	"testing"
)

// withSidecars makes a namespace that asks for sidecars, and waits until istiod has seen it.
func withSidecars(cluster, name string) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		m.create(t, cluster, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {istio-injection: enabled}}}", name))
		until(t, "istiod knows the namespace", func() (bool, string) {
			r := m.Run(t, "kubectl", "--context", cluster, "-n", name, "get", "configmap", "istio-ca-root-cert")
			return r.Code == 0, r.Stderr
		})
	}
}

// without takes a namespace away. It goes in its own time.
func without(cluster, name string) action {
	return kubectl(cluster, "delete", "namespace", name, "--wait=false")
}

func networkFaults() []fault {
	return []fault{
		{
			name: "a network that nothing connects", reports: []string{"fail network-unconnected cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.attach(t, remote, "--network", "network2", "--allow-unconnected-network")
			},
			byHand: "gateways between networks are made by Istio's guide",
			fixes:  connectNetworks(remote),
			tidies: func(t *testing.T, m *testMesh) {
				t.Helper()
				m.await(t, nil)
				m.kubectl(t, primary, "delete", "gateways.networking.istio.io", "cross-network-gateway")
				m.kubectl(t, remote, "delete", "service,endpointslice", "istio-eastwestgateway")
				m.attach(t, remote, "--network", "network1")
			},
		},
		{
			name: "a remote without its network", reports: []string{"fail network-label cluster2"},
			breaks: kubectl(remote, "label", "namespace", namespace, "topology.istio.io/network-"),
		},
		{
			name: "a remote on another network than its pods", reports: []string{"fail network-label cluster2"},
			breaks: kubectl(remote, "label", "namespace", namespace, "topology.istio.io/network=network9", "--overwrite"),
		},
		{
			name: "a primary on another network", reports: []string{"fail network-label cluster1"},
			breaks: kubectl(primary, "label", "namespace", namespace, "topology.istio.io/network=network9", "--overwrite"),
		},
		{
			name: "pods with the same addresses", reports: []string{"fail network-overlap cluster2"},
			breaks: func(t *testing.T, m *testMesh) {
				t.Helper()
				taken := m.kubectl(t, primary, "get", "nodes", "-o", "jsonpath={.items[0].spec.podCIDR}")
				m.create(t, remote, fmt.Sprintf("{apiVersion: v1, kind: Node, metadata: {name: stray}, spec: {podCIDR: %s, podCIDRs: [%s]}}", taken, taken))
			},
			byHand: "which networks there are to be is the user's to decide",
			fixes:  kubectl(remote, "delete", "node", "stray"),
		},
		{
			name: "a Service in one cluster only", reports: []string{"warn service-asymmetric cluster2"},
			breaks: all(withSidecars(primary, "shop"), withSidecars(remote, "shop"), kubectl(primary, "-n", "shop", "create", "service", "clusterip", "cart", "--tcp=80")),
			tidies: all(without(primary, "shop"), without(remote, "shop")),
		},
		{
			name: "a headless Service in one cluster only", reports: []string{"warn service-asymmetric cluster2"},
			breaks: all(withSidecars(primary, "depot"), withSidecars(remote, "depot"), kubectl(primary, "-n", "depot", "create", "service", "clusterip", "stock", "--tcp=80", "--clusterip=None")),
			tidies: all(without(primary, "depot"), without(remote, "depot")),
		},
	}
}

// connectNetworks makes what Istio's guide has between the primary's network and network2, on which a remote is.
func connectNetworks(remote string) action {
	return all(create(remote, gatewayOfNetwork2), create(primary, crossNetwork))
}

// crossNetwork publishes the mesh's services to other networks (samples/multicluster/expose-services.yaml of Istio).
const crossNetwork = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network-gateway}
spec:
  selector: {istio: eastwestgateway}
  servers:
  - {port: {number: 15443, name: tls, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: ["*.local"]}
`

// gatewayOfNetwork2 is the east-west gateway of network2. No pod of it runs; that one serves is claimed.
const gatewayOfNetwork2 = `apiVersion: v1
kind: Service
metadata: {name: istio-eastwestgateway, labels: {istio: eastwestgateway, topology.istio.io/network: network2}}
spec: {type: LoadBalancer, selector: {istio: eastwestgateway}, ports: [{name: tls, port: 15443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: istio-eastwestgateway, labels: {kubernetes.io/service-name: istio-eastwestgateway}}
addressType: IPv4
endpoints: [{addresses: [192.0.2.1], conditions: {ready: true}}]
ports: [{name: tls, port: 15443}]
`
