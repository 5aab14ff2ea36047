package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func podSecurityCheck() Check {
	return Check{
		ID: "pod-security", Subject: OfCluster, Category: Injection,
		Title:     "pods may do what a sidecar's set-up needs",
		Preflight: true,
		Needs:     []string{"reachable"},
		Why: `Sidecars need the capability NET_ADMIN while they start, which the pod security standard of the cluster or of a
			namespace forbids. Pods with a sidecar would not be admitted.`,
		Fix:   `Allow it for those namespaces, or install Istio's CNI plugin, which does the set-up on the node.`,
		judge: podSecurity,
	}
}

func podSecurity(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.PodSecurityPart); r != nil && len(seen.Restricted) == 0 {
			if slices.ContainsFunc(seen.Denied, func(p snapshot.Permission) bool { return p.Verb == "create" && p.Resource == "pods" }) {
				return needs("permission")
			}
			return r
		}
		fix := advice("allow it (pod-security.kubernetes.io/enforce=privileged), or install Istio's CNI plugin with --set components.cni.enabled=true")
		switch {
		case len(seen.Restricted) > 0:
			namespace, _, _ := strings.Cut(seen.Restricted[0], " ")
			return fail(fix.and(v.kubectl(c, "label", "--overwrite", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged")),
				"namespaces that ask for sidecars forbid their set-up (NET_ADMIN): %s", strings.Join(seen.Restricted, ", "))
		case seen.PodSecurity != "":
			return fail(fix, "pods may not do what a sidecar's set-up needs (NET_ADMIN): %s", seen.PodSecurity)
		}
		return pass("pods may do what a sidecar's set-up needs")
	})
}
