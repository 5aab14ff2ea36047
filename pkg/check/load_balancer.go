package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func loadBalancerCheck() Check {
	return Check{
		ID: "load-balancer", Subject: OfControlPlane, Category: Gateway,
		Title:     "the primary's gateway will get an address",
		Preflight: true,
		Needs:     []string{"reachable"},
		Why: `The east-west gateway needs an address that the other clusters reach. Nothing here shows that Services of type
			LoadBalancer get one: there are some without an address, or none at all and no cloud (#49045).`,
		Fix:   `Install a controller for them (MetalLB), or give expose-istiod the --address.`,
		judge: loadBalancer,
	}
}

func loadBalancer(v view) []Result {
	return v.ownCluster(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.LoadBalancersPart); r != nil {
			return r
		}
		found := seen.LoadBalancers
		elsewhere := advice("install a controller for Services of type LoadBalancer (for kind and bare metal: MetalLB), or give expose-istiod the --address at which the gateway will be reached")
		controlPlane, there := v.controlPlane()
		gateway, _ := seen.Gateway(wellknown.EastWestGateway) // address-hostname judges one that has its address
		const certificate = "istiod's certificate must be for the gateway's, too (ISTIOD_CUSTOM_HOST)"
		switch {
		case found.Hostname != "" && there && !controlPlane.Ours() && !controlPlane.Rendered && gateway.Address == "":
			return warn(advice("expose-istiod tells the gateway's hostname, and attach-remote how to set it with the tool that installed istiod"),
				"Services of type LoadBalancer get hostnames, such as %s: %s", found.Hostname, certificate)
		case found.Hostname != "":
			return pass("Services get hostnames, such as %s: %s, which expose-istiod sets", found.Hostname, certificate)
		case found.Served > 0:
			return pass("Services with an address: %d", found.Served)
		case found.Pending > 0:
			return fail(elsewhere, "%d Services of type LoadBalancer, and none has an address", found.Pending)
		case seen.Cloud:
			return pass("the nodes are a cloud's, which gives load balancers")
		}
		return warn(elsewhere, "no Service of type LoadBalancer yet, and no sign of a controller that would give the gateway an address")
	})
}
