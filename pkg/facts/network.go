package facts

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// NetworkGateway is a gateway by which pods of other networks may reach those of its own.
type NetworkGateway struct {
	snapshot.Gateway
	// Cluster is where it is.
	Cluster mesh.Cluster
	// Lacks is what it lacks for that; empty for one that works.
	Lacks GatewayLack
}

// GatewayLack is what a gateway lacks to publish services to other networks.
type GatewayLack string

// What a gateway can lack.
const (
	LacksAddress     GatewayLack = "address"
	LacksPort        GatewayLack = "port"
	LacksReadyPod    GatewayLack = "ready pod"
	LacksPassthrough GatewayLack = "passthrough"
)

// NetworkGateways are those of a network, in all clusters.
func NetworkGateways(m mesh.Mesh, s *snapshot.Snapshot, network string) []NetworkGateway {
	var gateways []NetworkGateway
	for _, c := range m.Clusters {
		seen := s.Clusters[c.Name]
		if seen == nil {
			continue
		}
		for _, g := range slices.Concat(seen.Gateways, seen.NetworkGateways) {
			if g.Network == network {
				gateways = append(gateways, NetworkGateway{Gateway: g, Cluster: c, Lacks: gatewayLack(m, s, c, g)})
			}
		}
	}
	return gateways
}

// gatewayLack is what a gateway of a cluster lacks. Its configuration comes from the primary that serves the cluster.
func gatewayLack(m mesh.Mesh, s *snapshot.Snapshot, c mesh.Cluster, g snapshot.Gateway) GatewayLack {
	switch {
	case g.Address == "":
		return LacksAddress
	case !slices.Contains(g.Ports, g.CrossNetworkPort):
		return LacksPort
	case g.Namespace == "" && g.ReadyEndpoints == 0: // pods elsewhere are not looked at
		return LacksReadyPod
	case g.PublishesItself:
		return ""
	}
	primary, _ := m.PrimaryOf(c)
	if seen := s.Clusters[primary.Name]; seen != nil && slices.ContainsFunc(seen.Passthrough, func(p snapshot.Passthrough) bool { return p.Selects(g) }) {
		return ""
	}
	return LacksPassthrough
}

// Reachable is true for a network whose pods those of other networks reach: it has a gateway that works, or meshNetworks of the
// control plane names one.
func Reachable(m mesh.Mesh, s *snapshot.Snapshot, plane snapshot.ControlPlane, network string) bool {
	if network == "" {
		return false
	}
	return slices.Contains(plane.GatewayNetworks, network) ||
		slices.ContainsFunc(NetworkGateways(m, s, network), func(g NetworkGateway) bool { return g.Lacks == "" })
}

// Connected is true for networks between which calls cross: they are one, or each is reachable from the other.
func Connected(m mesh.Mesh, s *snapshot.Snapshot, plane snapshot.ControlPlane, a, b string) bool {
	return a == b || Reachable(m, s, plane, a) && Reachable(m, s, plane, b)
}
