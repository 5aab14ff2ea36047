package check

import (
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func kubernetesVersionCheck() Check {
	return Check{
		ID: "kubernetes-version", Subject: OfCluster, Category: Clusters,
		Title:  "Kubernetes is not too old",
		Before: []string{BeforeInstall, BeforeExpose, BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"reachable"},
		Why: `The cluster's Kubernetes is older than the oldest that this Istio release supports. The charts may use API versions
			that are not there, and nobody tests the combination.`,
		Fix:   `Upgrade the cluster, or install an older Istio release with --manifests.`,
		judge: kubernetesVersion,
	}
}

func kubernetesVersion(v view) []Result {
	return v.eachCluster(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.KubernetesVersion); r != nil {
			return r
		}
		running, err := version.ParseGeneric(seen.KubernetesVersion)
		if err != nil {
			return warn(Fix{}, "the API server's version %q can't be read", seen.KubernetesVersion)
		}
		if running.Major() == 1 && int(running.Minor()) < v.charts.OldestKubernetes {
			return fail(advice("upgrade the cluster, or give an older Istio's charts with --manifests"),
				"Kubernetes %s is too old: Istio %s needs 1.%d or newer", seen.KubernetesVersion, v.charts.Release, v.charts.OldestKubernetes)
		}
		return pass("Kubernetes %s", seen.KubernetesVersion)
	})
}
