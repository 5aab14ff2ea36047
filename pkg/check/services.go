package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// serviceAsymmetric: in a namespace that asks for sidecars in two clusters, both know the same Services. A client finds
// a Service by the DNS of its own cluster.
func serviceAsymmetric(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.InjectedNamespaces); r != nil {
			return r
		}
		for _, other := range v.mesh.Clusters {
			theirs := v.snapshot.Clusters[other.Name]
			if other.Name == c.Name || theirs == nil {
				continue
			}
			for _, namespace := range seen.Injected {
				// In Istio's own, primary and remote differ on purpose.
				if namespace == v.mesh.Namespace || !slices.Contains(theirs.Injected, namespace) {
					continue
				}
				for _, service := range theirs.Services[namespace] {
					if !slices.Contains(seen.Services[namespace], service) {
						headless := slices.Contains(theirs.Headless, namespace+"/"+service)
						return warn(v.copyService(other, c, namespace, service, headless),
							"Service %s in %s is in %s and not here, where the namespace asks for sidecars too: clients here can't resolve its name", service, namespace, other.Name)
					}
				}
			}
		}
		return pass("namespaces shared with others have the same Services")
	})
}

// copyService makes a Service of one cluster in another, without what the first one's API server has given it.
func (v view) copyService(from, to mesh.Cluster, namespace, service string, headless bool) Fix {
	patch := `{"metadata":{"resourceVersion":null,"uid":null},"spec":{"clusterIP":null,"clusterIPs":null}}`
	if headless { // None is no address
		patch = `{"metadata":{"resourceVersion":null,"uid":null}}`
	}
	local := Fix{Commands: []command.Command{{Argv: []string{"kubectl", "patch", "--local", "-f", "-", "--type=merge", "-p", patch, "-o", "yaml"}}}}
	return v.kubectl(from, "-n", namespace, "get", "service", service, "-o", "yaml").pipe(local).pipe(v.kubectl(to, "create", "-f", "-"))
}

// trustDomain: the identities that probes were seen with are of the trust domain that the primary is configured with.
func trustDomain(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	plane, found := v.plane()
	if !found {
		return nil
	}
	wanted := plane.TrustDomain
	if wanted == "" {
		wanted = "cluster.local" // Istio's default
	}
	return v.each(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		seen := false
		for _, call := range v.snapshot.Traffic.Calls {
			for _, peer := range call.Peers {
				if call.From != c.Name || peer == "" {
					continue
				}
				seen = true
				if !strings.HasPrefix(peer, "spiffe://"+wanted+"/") {
					return fail(advice("restart the pods of %s that keep an old certificate", c.Name).and(v.kubectl(c, "-n", "NAMESPACE", "rollout", "restart", "deployment").fill("NAMESPACE")),
						"pods here are %s, but the mesh's trust domain is %s: policies that name identities do not fit them", peer, wanted)
				}
			}
		}
		if !seen {
			return skip("needs traffic")
		}
		return pass("%s", wanted)
	})
}
