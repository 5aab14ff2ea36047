package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

func rootMissing(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		if r := blind(seen, observe.RootCertificate); r != nil {
			return r
		}
		if seen.RootCert == "" {
			return fail(v.leadAgain(c), "ConfigMap istio-ca-root-cert is missing in %s: proxies there can't check istiod", v.mesh.Namespace)
		}
		if blind(seen, observe.RootCertificates) == nil && seen.RootCerts != nil {
			for _, namespace := range seen.Injected {
				if seen.RootCerts[namespace] != "" {
					continue
				}
				if former := v.formerWriter(seen); former != "" {
					return fail(advice("wait, a minute and a half at most, until an istiod that runs takes over"),
						"ConfigMap istio-ca-root-cert is missing in namespace %s, which asks for sidecars: %s, which no longer runs, still holds istiod's lock in this cluster (ConfigMap istio-namespace-controller-election in %s), so that no istiod writes it",
						namespace, former, v.mesh.Namespace)
				}
				// istiod leads here, and yet has given this one up: it looks at all of them when it starts.
				return fail(v.restartIstiod(), "ConfigMap istio-ca-root-cert is missing in namespace %s, which asks for sidecars: they can't start there", namespace)
			}
		}
		return pass("root %s", seen.RootCert)
	})
}

// formerWriter is the istiod pod that holds the lock on writing root certificates in a cluster and no longer runs; empty
// where one that runs holds it. Another control plane's is none of the primary's.
func (v view) formerWriter(seen *observe.Cluster) string {
	plane, _ := v.plane()
	alone := seen.Namespace == nil || !strings.ContainsAny(seen.Namespace.ControlPlaneClusters, ",*")
	if !alone || len(plane.Replicas) == 0 || slices.ContainsFunc(plane.Replicas, func(r observe.Replica) bool { return r.Pod == seen.RootWriter }) {
		return ""
	}
	return seen.RootWriter
}

func rootsDiffer(v view) []Result {
	primary, _ := v.mesh.Primary()
	seenPrimary := v.snapshot.Clusters[primary.Name]
	return v.remotes(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		if r := blind(seen, observe.RootCertificate); r != nil {
			return r
		}
		if seenPrimary == nil || seenPrimary.RootCert == "" || seen.RootCert == "" {
			if v.command == "preflight" {
				return skip("nothing to compare: not both have a root certificate yet")
			}
			return skip("needs root-cm-missing")
		}
		for _, namespace := range slices.Sorted(maps.Keys(seen.RootCerts)) {
			if root := seen.RootCerts[namespace]; root != seenPrimary.RootCert {
				return fail(v.kubectl(c, "-n", namespace, "delete", "configmap", "istio-ca-root-cert"),
					"ConfigMap istio-ca-root-cert in %s has root %s, the primary's is %s: its pods and the others do not trust each other (istiod writes it anew; restart the pods that use it)", namespace, root, seenPrimary.RootCert)
			}
		}
		if seen.RootCert != seenPrimary.RootCert {
			return fail(v.kubectlThere(c, "delete", "configmap", "istio-ca-root-cert"),
				"ConfigMap istio-ca-root-cert in %s has root %s, the primary's is %s", v.mesh.Namespace, seen.RootCert, seenPrimary.RootCert)
		}
		return pass("root %s", seen.RootCert)
	})
}
