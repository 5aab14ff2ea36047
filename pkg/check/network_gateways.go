package check

import (
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func networkUnconnectedCheck() Check {
	return Check{
		ID: "network-unconnected", Subject: OfLink, Category: Network,
		Title:  "calls cross between the networks",
		Before: []string{BeforeAttach}, Verify: true, Preflight: true,
		Needs:          []string{"reachable", "network-label"},
		NeedsOfPrimary: []string{"no-istiod"},
		Why: `The remote is on another network than the primary, and nothing leads from one to the other: each of them needs an
			east-west gateway with the label of its network, an address and port 15443, and the primary a Gateway of Istio's that
			publishes services there (AUTO_PASSTHROUGH). Without them istiod gives proxies no endpoint across networks, and every
			call to a service that is there alone fails. Gateways of Kubernetes' Gateway API publish services by themselves, and
			those that meshNetworks names count, too.`,
		Fix: `Publish services to other networks as Istio's guide for a primary and a remote on different networks does; kubectl
			mesh does not do it yet. attach-remote goes on without with --allow-unconnected-network. Clusters whose pods reach
			each other directly are on one network: leave --network out.`,
		judge: networkUnconnected,
	}
}

// networkUnconnected: pods of different networks reach each other only through gateways of both.
func networkUnconnected(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.APIServer); r != nil {
			return r
		}
		if r := v.unreadableIn(v.home, snapshot.ControlPlanes); r != nil {
			return r // it says which network is the primary's
		}
		here, there := v.home.Network, c.Network
		switch {
		case here == there:
			return pass("on the primary's network (%q)", there)
		case !v.unconnected(v.home, c):
			return pass("services of %q and %q are published to each other", here, there)
		case v.mesh.Unconnected:
			return pass("attached although no call crosses between %q and %q (--allow-unconnected-network)", here, there)
		}
		for _, one := range []mesh.Cluster{c, v.home} {
			for _, part := range []string{snapshot.Gateways, snapshot.NetworkGatewaysPart, snapshot.PassthroughPart} {
				if r := v.unreadableIn(one, part); r != nil {
					return r
				}
			}
		}
		fix := advice("publish services to other networks as Istio's guide does, with an east-west gateway in each network: https://istio.io/latest/docs/setup/install/multicluster/primary-remote_multi-network/")
		if v.asker.canOverride("--allow-unconnected-network") {
			fix = fix.and(advice("to attach the cluster all the same, add --allow-unconnected-network"))
		}
		return fail(fix, "no call crosses between networks %q and %q: %s", here, there, strings.Join(append(v.whatNetworkLacks(here), v.whatNetworkLacks(there)...), "; "))
	})
}

// unreadableIn is unreadable for a cluster of the mesh.
func (v view) unreadableIn(c mesh.Cluster, part string) []Result {
	seen := v.snapshot.Clusters[c.Name]
	if seen == nil {
		return nil
	}
	return unreadable(seen, part)
}

// whatNetworkLacks says what a network lacks for its services to be reached from others; nothing where they are.
func (v view) whatNetworkLacks(network string) []string {
	controlPlane, _ := v.controlPlane()
	switch {
	case network == "":
		return []string{"one of them has no name"}
	case facts.Reachable(v.mesh, v.snapshot, controlPlane, network):
		return nil
	}
	var lacks []string
	for _, g := range facts.NetworkGateways(v.mesh, v.snapshot, network) {
		lacks = append(lacks, fmt.Sprintf("gateway %s of %q in %s %s", g.Name, network, label(g.Cluster), whatGatewayLacks(g)))
	}
	if lacks == nil {
		lacks = []string{fmt.Sprintf("there is no gateway of %q (a Service with the label topology.istio.io/network)", network)}
	}
	return lacks
}

func whatGatewayLacks(g facts.NetworkGateway) string {
	switch g.Lacks {
	case facts.LacksAddress:
		return "has no address"
	case facts.LacksPort:
		return fmt.Sprintf("has no port %d", g.CrossNetworkPort)
	case facts.LacksReadyPod:
		return "has no ready pod"
	}
	return "publishes no services (no Gateway in the primary with AUTO_PASSTHROUGH on port 15443 is for it)"
}

// unconnected is true for two clusters between whose networks no call crosses.
func (v view) unconnected(a, b mesh.Cluster) bool {
	controlPlane, _ := v.controlPlane()
	return !facts.Connected(v.mesh, v.snapshot, controlPlane, a.Network, b.Network)
}
