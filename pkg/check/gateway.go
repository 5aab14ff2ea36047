package check

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func addressPendingCheck() Check {
	return Check{
		ID: "address-pending", Subject: OfControlPlane, Category: Gateway,
		Title:  "the east-west gateway has an address",
		Before: []string{BeforeAttach}, Verify: true,
		Needs: []string{"no-istiod"},
		Why: `The Service of the east-west gateway has no external address, so remotes can't find istiod. Most often the cluster has
			no controller for Services of type LoadBalancer, as on kind or bare metal, or the controller refuses (quota, subnet,
			annotation) (#49045, #43656). Or there is no gateway yet.`,
		Fix: `Run expose-istiod, which waits a bounded time and tells what the controller says. Without such a controller, install
			one (MetalLB), or give --address.`,
		judge: addressPending,
	}
}

func addressPending(v view) []Result {
	return v.ownGateway(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway(wellknown.EastWestGateway)
		if !found {
			return fail(v.expose(), "no east-west gateway (Service istio-eastwestgateway in %s)", v.mesh.Namespace)
		}
		if gateway.Address == "" && gateway.Type == "LoadBalancer" {
			return fail(advice("see to the cluster's load balancer (a cloud's, MetalLB), or say where the gateway is reached").and(v.expose("--address", "ADDRESS").fill("ADDRESS")),
				"Service %s in %s has no external address: no load balancer has given it one", gateway.Name, v.mesh.Namespace)
		}
		if gateway.Address == "" {
			return fail(v.expose("--force-conflicts"),
				"Service %s in %s (%s) has no external address", gateway.Name, v.mesh.Namespace, gateway.Type)
		}
		return pass("%s", gateway.Address)
	})
}

func gatewayReadyCheck() Check {
	return Check{
		ID: "gateway-ready", Subject: OfControlPlane, Category: Gateway,
		Title:  "the east-west gateway serves",
		Verify: true,
		Needs:  []string{"address-pending"},
		Why: `The gateway has a Service, but no pod behind it is ready. Remotes get no connection to istiod: no injection, no
			configuration, no certificates.`,
		Fix:   `Look at the gateway's pods. Is its image "auto"? Then injection-not-ready has the cause.`,
		judge: gatewayReady,
	}
}

func gatewayReady(v view) []Result {
	return v.ownGateway(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway(wellknown.EastWestGateway)
		if !found {
			return needs("address-pending")
		}
		if gateway.ReadyEndpoints == 0 {
			fix := v.inspectNamespaced(c, "describe", "pods", "-l", "istio=eastwestgateway")
			if gateway.Stopped {
				fix = v.scaleUp(c, gateway.Name)
			}
			return fail(fix, "no pod of %s in %s is ready", gateway.Name, v.mesh.Namespace)
		}
		return pass("ready pods: %d", gateway.ReadyEndpoints)
	})
}

func notExposedCheck() Check {
	return Check{
		ID: "not-exposed", Subject: OfControlPlane, Category: Gateway,
		Title:  "istiod is published through the gateway",
		Before: []string{BeforeAttach}, Verify: true,
		Needs: []string{"no-istiod"},
		Why: `No VirtualService publishes istiod of this revision through the gateway. Connections to ports 15012 and 15017 of the
			gateway then end there (filter_chain_not_found in its log, #34059). Each revision needs its own.`,
		Fix:   `Run expose-istiod for this revision.`,
		judge: notExposed,
	}
}

func notExposed(v view) []Result {
	return v.ownExposure(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.ExposedIstiods); r != nil {
			return r
		}
		if slices.Contains(seen.Exposed, v.mesh.RevisionLabel()) {
			return pass("ports 15012 and 15017, revision %s", v.mesh.RevisionLabel())
		}
		return fail(v.expose(), "no Gateway with a VirtualService in %s publishes istiod of revision %s", v.mesh.Namespace, v.mesh.RevisionLabel())
	})
}

// scaleUp runs a Deployment that was scaled to nothing.
func (v view) scaleUp(c mesh.Cluster, deployment string) Fix {
	return v.kubectlNamespaced(c, "scale", "deployment", deployment, "--replicas=1")
}
