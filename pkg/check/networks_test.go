package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// networksScenarios are meshes of two networks.
func networksScenarios() []scenario {
	// apart puts west on a network of its own.
	apart := func(w *world) {
		w.mesh.Clusters[2].Network, w.west().Namespace.Network = "network2", "network2"
		for i := range w.west().Injectors {
			w.west().Injectors[i].Paths = []string{"/inject/cluster/west/net/network2"}
		}
	}
	// connected publishes services of both networks to each other, as Istio's guide does.
	connected := func(w *world) {
		apart(w)
		labels := map[string]string{"istio": "eastwestgateway"}
		*w.gateway() = snapshot.Gateway{
			Name: "istio-eastwestgateway", Type: "LoadBalancer", Network: "network1", Address: "192.0.2.10", ReadyEndpoints: 1, CrossNetworkPort: 15443,
			Ports: []int32{15021, 15443, 15012, 15017}, Selector: labels,
		}
		w.west().Gateways = []snapshot.Gateway{{
			Name: "istio-eastwestgateway", Type: "LoadBalancer", Network: "network2", Address: "192.0.2.20", ReadyEndpoints: 1, CrossNetworkPort: 15443,
			Ports: []int32{15443}, Selector: labels,
		}}
		w.east().Passthrough = []snapshot.Passthrough{{Name: "cross-network-gateway", Selector: labels}}
	}
	// but changes a thing about connected networks.
	but := func(change func(w *world)) func(w *world) {
		return func(w *world) { connected(w); change(w) }
	}
	fails := []string{"fail network-unconnected west"}
	return []scenario{
		{"two networks", "", apart, fails},
		{"two networks", BeforeAttach, apart, fails},
		{"two networks", "preflight", func(w *world) { apart(w); w.east().LoadBalancers.Served = 1 }, fails},
		{"two networks, as the user wishes", BeforeAttach, func(w *world) { apart(w); w.mesh.Unconnected = true }, nil},
		{"calls that can't cross", "", func(w *world) {
			apart(w)
			w.call("east", "west", "http").Answered, w.call("east", "west", "http").Error = 0, "HTTP 503: no healthy upstream"
		}, fails},
		{"two networks, and a remote to be attached again", "", func(w *world) {
			apart(w)
			w.west().ReaderToken.Filled = false
		}, []string{"fail network-unconnected west", "fail token-missing west"}},
		{"connected as Istio's guide does", "", connected, nil},
		{"connected as Istio's guide does", BeforeAttach, connected, nil},
		{"connected by meshNetworks", "", but(func(w *world) {
			w.west().Gateways, w.controlPlane().GatewayNetworks = nil, []string{"network2"}
		}), nil},
		{"a gateway in another namespace, whose pods are not looked at", "", but(func(w *world) {
			elsewhere := w.west().Gateways[0]
			elsewhere.Namespace, elsewhere.ReadyEndpoints = "gateways", 0
			w.west().Gateways, w.west().NetworkGateways = nil, []snapshot.Gateway{elsewhere}
		}), nil},
		{"gateways of the Gateway API", "", but(func(w *world) {
			w.east().Passthrough = nil
			w.gateway().PublishesItself, w.west().Gateways[0].PublishesItself = true, true
		}), nil},
		{"a gateway at a port of its own", "", but(func(w *world) {
			w.west().Gateways[0].CrossNetworkPort, w.west().Gateways[0].Ports = 443, []int32{443}
		}), nil},
		{"nobody may look for gateways elsewhere", "", func(w *world) {
			apart(w)
			w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.NetworkGatewaysPart, Reason: "forbidden"}}
		}, []string{"unknown network-unconnected west"}},
		{"no gateway", "", but(func(w *world) { w.west().Gateways = nil }), fails},
		{"a gateway without a label", "", but(func(w *world) { w.west().Gateways[0].Network = "" }), fails},
		{"a gateway without an address", "", but(func(w *world) { w.west().Gateways[0].Address = "" }), fails},
		{"a gateway without the port", "", but(func(w *world) { w.gateway().Ports = []int32{15012, 15017} }), fails},
		{"a gateway without pods", "", but(func(w *world) { w.west().Gateways[0].ReadyEndpoints = 0 }), fails},
		{"services are not published", "", but(func(w *world) { w.east().Passthrough = nil }), fails},
		{"services are published elsewhere", "", but(func(w *world) { w.east().Passthrough[0].Selector = map[string]string{"istio": "other"} }), fails},
		{"nobody may look", "", func(w *world) {
			apart(w)
			w.east().Unreadable = []snapshot.Unreadable{{What: snapshot.PassthroughPart, Reason: "forbidden"}}
		}, []string{"unknown network-unconnected west"}},
		{"nobody may look at the primary's network", "preflight", func(w *world) {
			w.east().Unreadable = []snapshot.Unreadable{{What: snapshot.ControlPlanes, Reason: "forbidden"}}
		}, []string{"unknown adoptable east", "unknown network-unconnected south", "unknown network-unconnected west", "warn load-balancer east"}},
	}
}

// Clusters of different networks are told to be apart until something leads from one to the other, whoever has made it.
func TestNetworks(t *testing.T) {
	t.Parallel()
	play(t, "networks.txt", networksScenarios())
}
