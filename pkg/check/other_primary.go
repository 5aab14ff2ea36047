package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func ownControlPlaneCheck() Check {
	return Check{
		ID: "own-control-plane", Subject: OfLink, Category: ControlPlane,
		Title:  "a remote has no control plane of its own",
		Before: []string{BeforeAttach}, Verify: true, Preflight: true,
		Needs:          []string{"same-cluster", "reachable"},
		NeedsOfPrimary: []string{"primary-is-remote", "no-istiod"},
		Why: `A cluster that is to be a remote runs an istiod of its own. Two control planes would then patch the same webhooks and
			write the same ConfigMaps, each with its own root certificate.`,
		Fix:   `Remove that istiod with the tool that installed it, or leave the cluster out.`,
		judge: ownControlPlane,
	}
}

func ownControlPlane(v view) []Result {
	return v.eachRemote(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		if len(seen.ControlPlanes) == 0 {
			return pass("no istiod in %s", v.mesh.Namespace)
		}
		controlPlane := seen.ControlPlanes[0]
		if primary, is := v.givenAsRemote(); is {
			return fail(advice("the arguments are swapped: %s is the primary", primary.Name).and(v.swapped(v.home, primary)),
				"Deployment %s in %s: this cluster has a control plane, and %s, which is given as its primary, has none", controlPlane.Name, v.mesh.Namespace, label(v.home))
		}
		if held, attached := v.secretOf(c.Name); attached && leadsHere(held, seen) && controlPlane.Ours() {
			return fail(v.undoInstall(c, seen).and(v.attachForced(c)).and(advice("then restart the pods that got a sidecar since")),
				"Deployment %s in %s: a control plane was installed over this remote (cluster id %q, revision %s)", controlPlane.Name, v.mesh.Namespace, controlPlane.ClusterID, controlPlane.Revision)
		}
		return fail(advice("a remote is managed by the primary's istiod. Remove this one with the tool that installed it%s, or leave the cluster out", inParentheses(controlPlane.InstalledBy)),
			"Deployment %s in %s: this cluster has a control plane of its own (cluster id %q, revision %s)",
			controlPlane.Name, v.mesh.Namespace, controlPlane.ClusterID, controlPlane.Revision)
	})
}

// leadsHere is true for a secret that is known to be for the cluster.
func leadsHere(secret snapshot.RemoteSecret, seen *snapshot.Cluster) bool {
	leads, _ := facts.IsFor(secret, seen)
	return leads
}

func inParentheses(tool string) string {
	if tool == "" {
		return ""
	}
	return " (" + tool + ")"
}

func otherPrimaryCheck() Check {
	return Check{
		ID: "other-primary", Subject: OfLink, Category: ControlPlane,
		Title:  "a remote belongs to no other primary",
		Before: []string{BeforeAttach}, Preflight: true,
		Needs: []string{"reachable"},
		Why: `Istio's namespace in the remote says, in the annotation topology.istio.io/controlPlaneClusters, that another primary
			leads there. Attaching it would take it from its mesh: its pods would get another root certificate while they serve.`,
		Fix:   `Detach it from the other primary first. If that one is gone, remove the annotation.`,
		judge: otherPrimary,
	}
}

func otherPrimary(v view) []Result {
	return v.eachRemote(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if seen.Namespace == nil || seen.Namespace.ControlPlaneClusters == "" {
			return pass("belongs to no primary yet")
		}
		if v.home.Name == "" {
			return needs("no-istiod")
		}
		if facts.MayLead(seen, v.home.Name) {
			return pass("belongs to %s", seen.Namespace.ControlPlaneClusters)
		}
		return fail(advice("take it out of that primary's mesh first; only if that primary is gone, take the annotation away").
			and(v.kubectl(c, "annotate", "namespace", v.mesh.Namespace, wellknown.ControlPlaneClustersAnnotation+"-")),
			"namespace %s says that the cluster belongs to primary %q (topology.istio.io/controlPlaneClusters)",
			v.mesh.Namespace, seen.Namespace.ControlPlaneClusters)
	})
}
