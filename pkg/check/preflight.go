package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// preflightIDs are the checks of clusters that are to become a mesh. What the commands make themselves is not among
// them.
func preflightIDs() []string {
	return []string{
		"reachable", "same-cluster", "permission", "kubernetes-version", "namespace-terminating", "primary-is-remote", "adoptable",
		"own-control-plane", "other-primary", "secret-localhost", "secret-proxy", "secret-malformed",
		"name-duplicate", "secret-ca", "load-balancer", "address-ipv6", "address-hostname", "pod-security", "network-unconnected", "network-overlap", "roots-differ", "mixed-ambient", "clock-skew",
	}
}

func loadBalancer(v view) []Result {
	return v.primary(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.LoadBalancersPart); r != nil {
			return r
		}
		found := seen.LoadBalancers
		elsewhere := advice("install a controller for Services of type LoadBalancer (for kind and bare metal: MetalLB), or give expose-istiod the --address at which the gateway will be reached")
		plane, there := v.plane()
		gateway, _ := seen.Gateway(wellknown.EastWestGateway) // address-hostname judges one that has its address
		const certificate = "istiod's certificate must be for the gateway's, too (ISTIOD_CUSTOM_HOST)"
		switch {
		case found.Hostname != "" && there && !plane.Ours() && !plane.Rendered && gateway.Address == "":
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

func podSecurity(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.PodSecurityPart); r != nil && len(seen.Restricted) == 0 {
			if slices.ContainsFunc(seen.Denied, func(p snapshot.Permission) bool { return p.Verb == "create" && p.Resource == "pods" }) {
				return skip("needs permission")
			}
			return r
		}
		cure := advice("allow it (pod-security.kubernetes.io/enforce=privileged), or install Istio's CNI plugin with --set components.cni.enabled=true")
		switch {
		case len(seen.Restricted) > 0:
			namespace, _, _ := strings.Cut(seen.Restricted[0], " ")
			return fail(cure.and(v.kubectl(c, "label", "--overwrite", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged")),
				"namespaces that ask for sidecars forbid their set-up (NET_ADMIN): %s", strings.Join(seen.Restricted, ", "))
		case seen.PodSecurity != "":
			return fail(cure, "pods may not do what a sidecar's set-up needs (NET_ADMIN): %s", seen.PodSecurity)
		}
		return pass("pods may do what a sidecar's set-up needs")
	})
}
