package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func primaryIsRemoteCheck() Check {
	return Check{
		ID: "primary-is-remote", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "the primary is no other primary's remote",
		Before: []string{BeforeInstall, BeforeExpose, BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"reachable"},
		Why: `The cluster of --context is attached to another primary as its remote, or was when a control plane was installed over
			it: the annotation, the injection path, the Service or EndpointSlice of istiod, or the record of attach-remote say so.
			One wrong current context is enough. A control plane installed over a remote takes it from its primary, with another
			root of trust, and breaks the traffic in both directions.`,
		Fix: `Name the primary's context with --context. Where a control plane was installed over a remote, the result has the
			commands that remove it and attach the cluster again. To take a remote from its primary on purpose, name it to
			install-primary with --convert-remote.`,
		judge: primaryIsRemote,
	}
}

// primaryIsRemote: a cluster that shows any sign of being another primary's remote is never made a primary, nor taken for
// one. Installed over a remote, a control plane takes it from its primary and breaks the traffic between them.
func primaryIsRemote(v view) []Result {
	return v.ownCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		owner, signs := facts.RemoteOf(seen)
		switch {
		case len(signs) == 0:
			for _, part := range []string{snapshot.IstioNamespace, snapshot.Injectors, snapshot.IstiodServices, snapshot.InventoryPart} {
				if r := unreadable(seen, part); r != nil {
					return r
				}
			}
			return pass("no sign of another primary")
		case c.Converted:
			return pass("it is taken from another primary (--convert-remote): %s", strings.Join(signs, "; "))
		}
		what := "another primary"
		if owner != "" {
			what = owner
		}
		text := fmt.Sprintf("%s is a remote of %s", label(c), what)
		there, known := v.contextOf(owner)
		if known {
			text += fmt.Sprintf("; did you mean --context %s?", command.Quote(there.Context))
		}
		return fail(v.fixForRemote(c, seen, there, known), "%s (%s)", text, strings.Join(signs, "; "))
	})
}

// contextOf is the primary of a name, with the context that leads to it, if one is known.
func (v view) contextOf(primary string) (mesh.Cluster, bool) {
	context := v.snapshot.Primaries[primary]
	return mesh.Cluster{Name: primary, Context: context, Role: mesh.Primary}, context != ""
}

// fixForRemote is what to do in place of taking a remote for a primary.
func (v view) fixForRemote(c mesh.Cluster, seen *snapshot.Cluster, primary mesh.Cluster, known bool) Fix {
	fix := Fix{}
	if len(seen.ControlPlanes) > 0 {
		fix = v.undoInstall(mesh.Cluster{Name: c.Name, Context: c.Context, Role: mesh.Remote}, seen)
	}
	switch {
	case slices.ContainsFunc(v.remotes(), func(r mesh.Cluster) bool { return known && r.Context == primary.Context }):
		return advice("the arguments are swapped: %s is the primary", primary.Name).and(v.swapped(c, primary))
	case len(seen.ControlPlanes) > 0 && known:
		return fix.and(v.swapped(c, primary))
	case len(seen.ControlPlanes) > 0:
		return fix.and(advice("a control plane was installed over it: once that is deleted, attach the cluster again, with --context of its primary"))
	case known:
		fix = fix.and(Fix{Inspect: []command.Command{v.caller.ForOtherPrimary().Mesh(v.meshOf(primary), AskedByVerify)}})
	default:
		fix = fix.and(advice("name its primary with --context"))
	}
	if v.asker.canOverride("--convert-remote") {
		fix = fix.and(advice("to take it from its primary all the same: --convert-remote %s", command.Quote(label(c))))
	}
	return fix
}

// swapped is the command to run with the clusters the other way round.
func (v view) swapped(remote, primary mesh.Cluster) Fix {
	arg, _ := command.Remote(mesh.Cluster{Name: mesh.ClusterName(remote.Context), Context: remote.Context, Role: mesh.Remote})
	return Fix{Commands: []command.Command{v.caller.ForOtherPrimary().Mesh(v.meshOf(primary), v.asker.exchanged, arg)}}
}

// meshOf is a mesh of another primary in the same namespace.
func (v view) meshOf(primary mesh.Cluster) mesh.Mesh {
	return mesh.Mesh{Namespace: v.mesh.Namespace, Clusters: []mesh.Cluster{primary}}
}

// givenAsRemote is the remote that is the primary, where the arguments are swapped: the cluster of --context has no
// control plane, and that remote has one.
func (v view) givenAsRemote() (mesh.Cluster, bool) {
	seen := v.seenHome()
	if seen == nil || len(seen.ControlPlanes) > 0 || unreadable(seen, snapshot.ControlPlanes) != nil {
		return mesh.Cluster{}, false
	}
	for _, c := range v.remotes() {
		if there := v.snapshot.Clusters[c.Name]; there != nil && len(there.ControlPlanes) > 0 && hasContext(c) {
			return mesh.Cluster{Name: label(c), Context: c.Context, Role: mesh.Primary}, true
		}
	}
	return mesh.Cluster{}, false
}

// undoInstall removes a control plane that install-primary has put over a remote, as far as that can be undone; what else
// it changed is written again when the cluster is attached again.
func (v view) undoInstall(c mesh.Cluster, seen *snapshot.Cluster) Fix {
	fix := Fix{}
	for _, controlPlane := range seen.ControlPlanes {
		if controlPlane.Ours() {
			fix = v.kubectlNamespaced(c, "delete", "deployments,horizontalpodautoscalers,poddisruptionbudgets", "-l", "app=istiod").
				and(v.kubectlNamespaced(c, "delete", "secret", wellknown.CASecret, "--ignore-not-found")).
				and(v.kubectl(c, "delete", "configmaps", "--all-namespaces", "--field-selector", "metadata.name=istio-ca-root-cert"))
		}
	}
	return fix
}
