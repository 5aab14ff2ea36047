package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// networkUnconnected: pods of different networks reach each other only through gateways of both.
func networkUnconnected(v view) []Result {
	primary := v.thePrimary()
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.APIServer); r != nil {
			return r
		}
		if r := v.blindTo(primary, snapshot.ControlPlanes); r != nil {
			return r // it says which network is the primary's
		}
		if c.Network == primary.Network {
			return pass("on the primary's network (%q)", c.Network)
		}
		lacks := append(v.lacking(primary.Network), v.lacking(c.Network)...)
		switch {
		case len(lacks) == 0:
			return pass("services of %q and %q are published to each other", primary.Network, c.Network)
		case v.mesh.Unconnected && v.command == BeforeAttach:
			return pass("attached although no call crosses between %q and %q (--allow-unconnected-network)", primary.Network, c.Network)
		}
		for _, one := range []mesh.Cluster{c, primary} {
			for _, part := range []string{snapshot.Gateways, snapshot.NetworkGatewaysPart, snapshot.PassthroughPart} {
				if r := v.blindTo(one, part); r != nil {
					return r
				}
			}
		}
		fix := advice("publish services to other networks as Istio's guide does, with an east-west gateway in each network: https://istio.io/latest/docs/setup/install/multicluster/primary-remote_multi-network/")
		if v.command == BeforeAttach {
			fix = fix.and(advice("to attach the cluster all the same, add --allow-unconnected-network"))
		}
		return fail(fix, "no call crosses between networks %q and %q: %s", primary.Network, c.Network, strings.Join(lacks, "; "))
	})
}

// blindTo is blind for a cluster of the mesh.
func (v view) blindTo(c mesh.Cluster, part string) []Result {
	seen := v.snapshot.Clusters[c.Name]
	if seen == nil {
		return nil
	}
	return blind(seen, part)
}

// lacking is what a network lacks for its services to be reached from others.
func (v view) lacking(network string) []string {
	if network == "" {
		return []string{"one of them has no name"}
	}
	if plane, found := v.plane(); found && slices.Contains(plane.GatewayNetworks, network) {
		return nil // meshNetworks says where its gateway is
	}
	var lacks []string
	for _, c := range v.mesh.Clusters {
		seen := v.snapshot.Clusters[c.Name]
		if seen == nil {
			continue
		}
		for _, g := range slices.Concat(seen.Gateways, seen.NetworkGateways) {
			if g.Network != network {
				continue
			}
			lack := v.lackOf(g)
			if lack == "" {
				return nil
			}
			lacks = append(lacks, fmt.Sprintf("gateway %s of %q in %s %s", g.Name, network, label(c), lack))
		}
	}
	if lacks == nil {
		lacks = []string{fmt.Sprintf("there is no gateway of %q (a Service with the label topology.istio.io/network)", network)}
	}
	return lacks
}

// lackOf is what a gateway lacks to publish services to other networks; istiod takes the Gateway from the primary.
func (v view) lackOf(g snapshot.Gateway) string {
	switch {
	case g.Address == "":
		return "has no address"
	case !slices.Contains(g.Ports, g.CrossNetworkPort):
		return fmt.Sprintf("has no port %d", g.CrossNetworkPort)
	case g.Namespace == "" && g.ReadyEndpoints == 0: // pods elsewhere are not looked at
		return "has no ready pod"
	case g.PublishesItself:
		return ""
	}
	if seen := v.snapshot.Clusters[v.thePrimary().Name]; seen != nil {
		for _, p := range seen.Passthrough {
			if p.Selects(g) {
				return ""
			}
		}
	}
	return "publishes no services (no Gateway in the primary with AUTO_PASSTHROUGH on port 15443 is for it)"
}

// unconnected is true for two clusters between whose networks no call crosses.
func (v view) unconnected(a, b mesh.Cluster) bool {
	return a.Network != b.Network && len(append(v.lacking(a.Network), v.lacking(b.Network)...)) > 0
}
