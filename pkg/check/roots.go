package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func rootMissing(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.RootCertificate); r != nil {
			return r
		}
		if seen.RootCert == "" {
			if seen.Namespace != nil && !v.discovers(seen.Namespace.Labels) {
				return v.undiscovered(c, v.mesh.Namespace, seen.Namespace.Labels)
			}
			return fail(v.leadAgain(c), "ConfigMap istio-ca-root-cert is missing in %s: proxies there can't check istiod", v.mesh.Namespace)
		}
		if blind(seen, snapshot.RootCertificates) == nil && seen.RootCerts != nil {
			for _, namespace := range seen.Injected {
				if seen.RootCerts[namespace] != "" {
					continue
				}
				if !v.discovers(seen.InjectedLabels[namespace]) {
					return v.undiscovered(c, namespace, seen.InjectedLabels[namespace])
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

// discovers is true for a namespace with these labels at which istiod looks.
func (v view) discovers(labels map[string]string) bool {
	plane, _ := v.plane()
	return plane.DiscoverySelectors.Select(labels)
}

// undiscovered is the failure of a namespace that has no root certificate because istiod does not look at it.
func (v view) undiscovered(c mesh.Cluster, namespace string, labels map[string]string) []Result {
	plane, _ := v.plane()
	fix := v.otherSelectors()
	if label := plane.DiscoverySelectors.Labelling(namespace, labels); label != nil {
		fix = v.kubectl(c, label...)
	}
	return fail(fix, "ConfigMap istio-ca-root-cert is missing in %s, which none of the mesh's discoverySelectors selects: istiod never writes it there", namespace)
}

// otherSelectors is the fix where no label makes istiod look at a namespace.
func (v view) otherSelectors() Fix {
	plane, _ := v.plane()
	return advice("change the mesh's discoverySelectors (meshConfig): no label on the namespace helps").
		and(v.lookThere(v.thePrimary(), "get", "configmap", plane.ConfigMap, "-o", "yaml"))
}

// formerWriter is the istiod pod that holds the lock on writing root certificates in a cluster and no longer runs; empty
// where one that runs holds it. Another control plane's is none of the primary's.
func (v view) formerWriter(seen *snapshot.Cluster) string {
	plane, _ := v.plane()
	alone := seen.Namespace == nil || !strings.ContainsAny(seen.Namespace.ControlPlaneClusters, ",*")
	if !alone || len(plane.Replicas) == 0 || slices.ContainsFunc(plane.Replicas, func(r snapshot.Replica) bool { return r.Pod == seen.RootWriter }) {
		return ""
	}
	return seen.RootWriter
}

func rootsDiffer(v view) []Result {
	primary, _ := v.mesh.Primary()
	seenPrimary := v.snapshot.Clusters[primary.Name]
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.RootCertificate); r != nil {
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
				return fail(v.kubectl(c, "-n", namespace, "delete", "configmap", wellknown.RootCertConfigMap),
					"ConfigMap istio-ca-root-cert in %s has root %s, the primary's is %s: its pods and the others do not trust each other (istiod writes it anew; restart the pods that use it)", namespace, root, seenPrimary.RootCert)
			}
		}
		if seen.RootCert != seenPrimary.RootCert {
			return fail(v.kubectlThere(c, "delete", "configmap", wellknown.RootCertConfigMap),
				"ConfigMap istio-ca-root-cert in %s has root %s, the primary's is %s", v.mesh.Namespace, seen.RootCert, seenPrimary.RootCert)
		}
		return pass("root %s", seen.RootCert)
	})
}
