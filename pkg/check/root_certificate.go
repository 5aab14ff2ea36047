package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func rootMissingCheck() Check {
	return Check{
		ID: "root-cm-missing", Subject: OfLink, Category: Trust,
		Title:          "Istio's namespace has the mesh's root certificate",
		Verify:         true,
		Needs:          []string{"reachable", "no-istiod", "annotation-missing", "reader-rbac", "not-synced", "cabundle-empty"},
		NeedsOfPrimary: []string{"no-istiod"},
		Why: `istiod writes the mesh's root certificate into every namespace (ConfigMap istio-ca-root-cert). Where it is missing,
			sidecars can't check istiod and stay in ContainerCreating (#29659, #43824). istiod does not lead in that cluster, or
			meshConfig.discoverySelectors does not select the namespace, or an istiod pod that has ended still holds the lock by
			which istiods elect the one that writes it.`,
		Fix: `Attach the remote again; in the primary, restart istiod. Give a namespace that is not selected the label that the
			selectors ask for. A lock of a pod that has ended runs out by itself, within a minute and a half: wait.`,
		judge: rootMissing,
	}
}

func rootMissing(v view) []Result {
	return v.eachServed(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.RootCertificate); r != nil {
			return r
		}
		if seen.RootCert == "" {
			if seen.Namespace != nil && !v.istiodWatches(seen.Namespace.Labels) {
				return v.notSelected(c, v.mesh.Namespace, seen.Namespace.Labels)
			}
			return fail(v.makeIstiodLead(c), "ConfigMap istio-ca-root-cert is missing in %s: proxies there can't check istiod", v.mesh.Namespace)
		}
		if unreadable(seen, snapshot.RootCertificates) == nil && seen.RootCerts != nil {
			for _, namespace := range seen.Injected {
				if seen.RootCerts[namespace] != "" {
					continue
				}
				if !v.istiodWatches(seen.InjectedLabels[namespace]) {
					return v.notSelected(c, namespace, seen.InjectedLabels[namespace])
				}
				if former := v.formerWriter(seen); former != "" {
					return fail(advice("wait, a minute and a half at most, until an istiod that runs takes over"),
						"ConfigMap istio-ca-root-cert is missing in namespace %s, which asks for sidecars: %s, which no longer runs, still holds istiod's lock in this cluster (ConfigMap istio-namespace-controller-election in %s), so that no istiod writes it",
						namespace, former, v.mesh.Namespace)
				}
				// istiod leads here, and has given this namespace up: it looks at all namespaces when it starts.
				return fail(v.restartIstiod(), "ConfigMap istio-ca-root-cert is missing in namespace %s, which asks for sidecars: they can't start there", namespace)
			}
		}
		return pass("root %s", seen.RootCert)
	})
}

// istiodWatches is true for a namespace with these labels at which istiod looks.
func (v view) istiodWatches(labels map[string]string) bool {
	controlPlane, _ := v.controlPlane()
	return controlPlane.DiscoverySelectors.Select(labels)
}

// notSelected is the failure of a namespace that has no root certificate because istiod does not look at it.
func (v view) notSelected(c mesh.Cluster, namespace string, labels map[string]string) []Result {
	controlPlane, _ := v.controlPlane()
	fix := v.otherSelectors()
	if label := controlPlane.DiscoverySelectors.LabelArgs(namespace, labels); label != nil {
		fix = v.kubectl(c, label...)
	}
	return fail(fix, "ConfigMap istio-ca-root-cert is missing in %s, which none of the mesh's discoverySelectors selects: istiod never writes it there", namespace)
}

// otherSelectors is the fix where no label makes istiod look at a namespace.
func (v view) otherSelectors() Fix {
	controlPlane, _ := v.controlPlane()
	return advice("change the mesh's discoverySelectors (meshConfig): no label on the namespace helps").
		and(v.inspectNamespaced(v.home, "get", "configmap", controlPlane.ConfigMap, "-o", "yaml"))
}

// formerWriter is the istiod pod that holds the lock on writing root certificates in a cluster and no longer runs; empty
// where one that runs holds it, and where another control plane may hold it.
func (v view) formerWriter(seen *snapshot.Cluster) string {
	controlPlane, _ := v.controlPlane()
	alone := seen.Namespace == nil || !strings.ContainsAny(seen.Namespace.ControlPlaneClusters, ",*")
	if !alone || len(controlPlane.Replicas) == 0 || slices.ContainsFunc(controlPlane.Replicas, func(r snapshot.Replica) bool { return r.Pod == seen.RootWriter }) {
		return ""
	}
	return seen.RootWriter
}

func rootsDifferCheck() Check {
	return Check{
		ID: "roots-differ", Subject: OfLink, Category: Trust,
		Title:  "all clusters trust one root",
		Verify: true, Preflight: true,
		Needs: []string{"reachable", "root-cm-missing", "cabundle-empty"},
		Why: `A namespace has a root certificate that is not the primary's. Its pods and the others do not trust each other: calls
			end with CERTIFICATE_VERIFY_FAILED or UNKNOWN_CA (#32501, #52356). Mostly it is left from an earlier control plane, or
			each cluster made its own root.`,
		Fix:   `Delete the ConfigMap, which istiod writes again, and restart the pods that use it.`,
		judge: rootsDiffer,
	}
}

func rootsDiffer(v view) []Result {
	home := v.seenHome()
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.RootCertificate); r != nil {
			return r
		}
		if home == nil || home.RootCert == "" || seen.RootCert == "" {
			if !v.asker.finished {
				return skip("nothing to compare: not both have a root certificate yet")
			}
			return needs("root-cm-missing")
		}
		if c.Role == mesh.Primary && seen.RootCert != home.RootCert {
			return fail(advice("give both control planes certificates of one root: https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/"),
				"the root of its control plane is %s, that of %s is %s", seen.RootCert, label(v.home), home.RootCert)
		}
		for _, namespace := range slices.Sorted(maps.Keys(seen.RootCerts)) {
			if root := seen.RootCerts[namespace]; root != home.RootCert {
				return fail(v.kubectl(c, "-n", namespace, "delete", "configmap", wellknown.RootCertConfigMap),
					"ConfigMap istio-ca-root-cert in %s has root %s, the primary's is %s: its pods and the others do not trust each other (istiod writes it again; restart the pods that use it)", namespace, root, home.RootCert)
			}
		}
		if seen.RootCert != home.RootCert {
			return fail(v.kubectlNamespaced(c, "delete", "configmap", wellknown.RootCertConfigMap),
				"ConfigMap istio-ca-root-cert in %s has root %s, the primary's is %s", v.mesh.Namespace, seen.RootCert, home.RootCert)
		}
		return pass("root %s", seen.RootCert)
	})
}
