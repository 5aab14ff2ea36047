package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func proxiesCheck() Check {
	return Check{
		ID: "proxies", Subject: OfLink, Category: Proxies,
		Title:  "proxies take what istiod sends",
		Verify: true,
		Needs:  []string{"no-istiod", "istiod-ready"},
		Why: `A proxy refuses the configuration that istiod sends (NACK) and keeps the last one that it took, so it misses every
			change since. Or it is of another minor release than istiod, which only warns: supported for a while, but old.`,
		Fix:   `istioctl analyze finds the resource that makes the configuration invalid. Restart old workloads.`,
		judge: proxies,
	}
}

func proxies(v view) []Result {
	return v.eachServed(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		controlPlane, found := v.controlPlane()
		if !found || len(controlPlane.Replicas) == 0 {
			return needs("istiod-ready")
		}
		count := 0
		for _, replica := range controlPlane.Replicas {
			for _, p := range replica.Proxies {
				if p.Cluster != c.Name {
					continue
				}
				count++
				pod, namespace, _ := strings.Cut(p.ID, ".")
				if p.Rejected != "" {
					return fail(v.istioctl(v.home, "analyze", "-A"),
						"the sidecar of %s in %s refuses what %s sends: %s", pod, namespace, replica.Pod, p.Rejected)
				}
				if a, b := minor(p.Version), minor(replica.Version); a != "" && b != "" && a != b {
					return warn(v.kubectl(c, "-n", namespace, "rollout", "restart", "deployment"),
						"the sidecar of %s in %s is of release %s, %s of %s", pod, namespace, p.Version, replica.Pod, replica.Version)
				}
			}
		}
		return pass("%d connected", count)
	})
}

func unknownClusterCheck() Check {
	return Check{
		ID: "unknown-cluster", Subject: OfControlPlane, Category: Proxies,
		Title:  "every proxy is of a cluster that istiod knows",
		Verify: true,
		Needs:  []string{"name-default", "no-istiod", "istiod-ready"},
		Why: `A proxy is connected that says it is in a cluster which istiod does not know: one that was detached while its pods run
			on, or that was renamed. Its pods get no certificates when theirs expire.`,
		Fix:   `Attach the cluster, or remove Istio from it.`,
		judge: unknownCluster,
	}
}

func unknownCluster(v view) []Result {
	return v.ownCluster(func(mesh.Cluster, *snapshot.Cluster) []Result {
		controlPlane, found := v.controlPlane()
		if !found || len(controlPlane.Replicas) == 0 {
			return needs("istiod-ready")
		}
		for _, replica := range controlPlane.Replicas {
			known := func(name string) bool {
				return slices.ContainsFunc(replica.Clusters, func(c snapshot.SyncedRemote) bool { return c.ID == name }) ||
					slices.ContainsFunc(v.mesh.Clusters, func(c mesh.Cluster) bool { return c.Name == name }) // not-synced tells of it
			}
			for _, p := range replica.Proxies {
				if p.Cluster != "" && !known(p.Cluster) {
					return fail(v.attachUnknown(p.Cluster), "proxy %s says that it is in cluster %q, which %s does not know", p.ID, p.Cluster, replica.Pod)
				}
			}
		}
		return pass("every proxy is of a known cluster")
	})
}

// attachUnknown attaches a cluster of which only a proxy shows the name, if it is a valid one.
func (v view) attachUnknown(name string) Fix {
	fix := advice("attach that cluster, or remove Istio from it")
	if mesh.ValidateClusterName(name) != nil {
		return fix
	}
	return fix.and(v.meshCommand(BeforeAttach, name+"=CONTEXT").fill("CONTEXT"))
}
