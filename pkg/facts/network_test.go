package facts

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// networks are two primaries, each on a network of its own with a gateway, and each with the Gateway that publishes services.
func networks() (mesh.Mesh, *snapshot.Snapshot) {
	m := mesh.Mesh{Clusters: []mesh.Cluster{{Name: "east", Role: mesh.Primary, Network: "network1"}, {Name: "west", Role: mesh.Primary, Network: "network2"}}}
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{}}
	for _, c := range m.Clusters {
		s.Clusters[c.Name] = &snapshot.Cluster{
			Gateways: []snapshot.Gateway{{
				Name: "istio-eastwestgateway", Network: c.Network, Address: "192.0.2.10", Ports: []int32{15443}, CrossNetworkPort: 15443, ReadyEndpoints: 1,
				Selector: map[string]string{"istio": "eastwestgateway"},
			}},
			Passthrough: []snapshot.Passthrough{{Name: "cross-network-gateway", Selector: map[string]string{"istio": "eastwestgateway"}}},
		}
	}
	return m, s
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	remote := func(m *mesh.Mesh) { m.Clusters[1].Role = mesh.Remote }
	for _, test := range []struct {
		name   string
		change func(m *mesh.Mesh, west *snapshot.Cluster, plane *snapshot.ControlPlane)
		lacks  GatewayLack
		// connected is whether calls cross between the two networks.
		connected bool
	}{
		{"two primaries", func(*mesh.Mesh, *snapshot.Cluster, *snapshot.ControlPlane) {}, "", true},
		{"a primary publishes what its own control plane is told", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) { west.Passthrough = nil }, LacksPassthrough, false},
		{"a remote publishes what its primary is told", func(m *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			remote(m)
			west.Passthrough = nil
		}, "", true},
		{"a Gateway for other pods", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			west.Passthrough[0].Selector = map[string]string{"istio": "other"}
		}, LacksPassthrough, false},
		{"the Gateway API", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			west.Passthrough, west.Gateways[0].PublishesItself = nil, true
		}, "", true},
		{"no address", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) { west.Gateways[0].Address = "" }, LacksAddress, false},
		{"no port", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			west.Gateways[0].Ports = []int32{15012}
		}, LacksPort, false},
		{"a port of its own", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			west.Gateways[0].Ports, west.Gateways[0].CrossNetworkPort = []int32{443}, 443
		}, "", true},
		{"no pod", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			west.Gateways[0].ReadyEndpoints = 0
		}, LacksReadyPod, false},
		{"a gateway elsewhere, whose pods are not looked at", func(_ *mesh.Mesh, west *snapshot.Cluster, _ *snapshot.ControlPlane) {
			west.NetworkGateways, west.Gateways = west.Gateways, nil
			west.NetworkGateways[0].Namespace, west.NetworkGateways[0].ReadyEndpoints = "gateways", 0
		}, "", true},
		{"meshNetworks names a gateway", func(_ *mesh.Mesh, west *snapshot.Cluster, plane *snapshot.ControlPlane) {
			west.Gateways[0].Address, plane.GatewayNetworks = "", []string{"network2"}
		}, LacksAddress, true},
	} {
		m, s := networks()
		var plane snapshot.ControlPlane
		test.change(&m, s.Clusters["west"], &plane)
		gateways := NetworkGateways(m, s, "network2")
		if len(gateways) != 1 || gateways[0].Cluster.Name != "west" || gateways[0].Lacks != test.lacks {
			t.Errorf("%s: the gateways of network2 are %+v", test.name, gateways)
		}
		if got := Connected(m, s, plane, "network1", "network2"); got != test.connected {
			t.Errorf("%s: connected is %v", test.name, got)
		}
	}
}

func TestNetworksWithoutGateways(t *testing.T) {
	t.Parallel()
	m, s := networks()
	if !Connected(m, &snapshot.Snapshot{}, snapshot.ControlPlane{}, "network1", "network1") {
		t.Error("a network is not connected with itself")
	}
	if Connected(m, s, snapshot.ControlPlane{}, "network1", "") {
		t.Error("a network without a name is connected with another")
	}
	delete(s.Clusters, "west")
	if gateways := NetworkGateways(m, s, "network2"); gateways != nil || Connected(m, s, snapshot.ControlPlane{}, "network1", "network2") {
		t.Errorf("network2, of which nothing was seen, has the gateways %+v", gateways)
	}
}
