package check

import (
	"fmt"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func sameClusterCheck() Check {
	return Check{
		ID: "same-cluster", Subject: OfCluster, Category: Clusters,
		Title:  "every context leads to a cluster of its own",
		Before: []string{BeforeInstall, BeforeExpose, BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"reachable"},
		Why: `Two contexts lead to one cluster: their kube-system namespaces have the same UID. Kubeconfigs often have several names
			for one cluster. A cluster can't be a remote of itself, and attached twice it would give every endpoint twice.`,
		Fix:   `Leave one of the contexts out.`,
		judge: sameCluster,
	}
}

func sameCluster(v view) []Result {
	var earlier []mesh.Cluster
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Identity); r != nil {
			return r
		}
		i := slices.IndexFunc(earlier, func(other mesh.Cluster) bool { return facts.SameCluster(v.snapshot.Clusters[other.Name], seen) })
		if i >= 0 && v.asker.finished && (earlier[i].Context == c.Context || !hasContext(earlier[i]) && !hasContext(c)) {
			return needs("name-duplicate") // it was reached in one way and has two names
		}
		if i >= 0 {
			return fail(advice("leave one of them out"), "%s and %s lead to the same cluster (kube-system has UID %s in both)",
				v.howReached(earlier[i]), v.howReached(c), seen.UID)
		}
		earlier = append(earlier, c)
		return pass("kube-system has UID %s", seen.UID)
	})
}

// howReached says by which context or secret a cluster was read.
func (v view) howReached(c mesh.Cluster) string {
	if seen := v.snapshot.Clusters[c.Name]; seen != nil && seen.Secret != "" {
		return "Secret " + seen.Secret
	}
	return fmt.Sprintf("context %q", c.Context)
}
