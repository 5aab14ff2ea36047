package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func terminatingCheck() Check {
	return Check{
		ID: "namespace-terminating", Subject: OfCluster, Category: Clusters,
		Title:  "Istio's namespace is not being deleted",
		Before: []string{BeforeInstall, BeforeExpose, BeforeAttach}, Preflight: true,
		Needs: []string{"reachable"},
		Why: `Istio's namespace is being deleted, so nothing can be created in it. Mostly it waits for a finalizer, or for an API
			service that does not answer.`,
		Fix:   `Wait until it is gone, then run the command again. If it stays, its status says what it waits for.`,
		judge: terminating,
	}
}

func terminating(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if seen.Namespace != nil && seen.Namespace.Terminating {
			return fail(advice("wait until it is gone").and(v.kubectl(c, "wait", "--for=delete", "namespace/"+v.mesh.Namespace, "--timeout=5m")),
				"namespace %s is being deleted", v.mesh.Namespace)
		}
		return pass("%s", v.mesh.Namespace)
	})
}
