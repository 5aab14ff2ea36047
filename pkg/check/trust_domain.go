package check

import (
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func trustDomainCheck() Check {
	return Check{
		ID: "trust-domain", Subject: OfLink, Category: Trust,
		Title:  "proxies' identities are of the mesh's trust domain",
		Verify: true,
		Why: `Workloads show identities of another trust domain than the mesh is configured with. Authorization policies that name
			identities do not fit them, and peers of the other domain may refuse them (#37096).`,
		Fix:   `Restart the workloads, so that they get certificates of the domain that istiod gives now.`,
		judge: trustDomain,
	}
}

// trustDomain: the identities that probes were seen with are of the trust domain that the primary is configured with.
func trustDomain(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	controlPlane, found := v.controlPlane()
	if !found {
		return nil
	}
	wanted := controlPlane.TrustDomain
	if wanted == "" {
		wanted = "cluster.local" // Istio's default
	}
	return v.eachServed(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
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
			return needs("traffic")
		}
		return pass("%s", wanted)
	})
}
