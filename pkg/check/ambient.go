package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func mixedAmbientCheck() Check {
	return Check{
		ID: "mixed-ambient", Subject: OfCluster, Category: Proxies,
		Title:    "no ambient data plane is mixed in",
		Severity: Warn, Verify: true, Preflight: true,
		Needs: []string{"reachable"},
		Why: `ztunnel runs in this cluster. Istio does not support ambient in a primary-remote mesh, and its multi-network flag
			drops endpoints of sidecars (#61713, #52571).`,
		Fix:   `Keep to sidecars in such a mesh, or leave the cluster out.`,
		judge: mixedAmbient,
	}
}

func mixedAmbient(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.AmbientPart); r != nil {
			return r
		}
		if seen.Ambient {
			return warn(advice("keep to sidecars in this mesh, or leave the cluster out").and(v.inspect(c, "get", "daemonset", "-A", "-l", "app=ztunnel")),
				"ztunnel runs here: an ambient data plane is not supported in a primary-remote mesh")
		}
		return pass("sidecars only")
	})
}
