package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// RemoteOf says by what a cluster shows that it is another primary's remote, or was made a primary while it was one; no
// signs mean that it shows nothing of the kind. primary is that primary's name, where the cluster tells it.
func RemoteOf(seen *snapshot.Cluster) (primary string, signs []string) {
	own := func(name string) bool {
		return slices.ContainsFunc(seen.ControlPlanes, func(p snapshot.ControlPlane) bool { return p.ClusterID == name })
	}
	if ns := seen.Namespace; ns != nil && ns.ControlPlaneClusters != "" {
		owners := strings.Split(ns.ControlPlaneClusters, ",")
		if !slices.ContainsFunc(owners, own) && (ns.ControlPlaneClusters != "*" || len(seen.ControlPlanes) == 0) {
			if owners[0] != "*" {
				primary = owners[0]
			}
			signs = append(signs, "annotation topology.istio.io/controlPlaneClusters="+ns.ControlPlaneClusters)
		}
	}
	for _, i := range seen.Injectors {
		_, runs := seen.ControlPlane(i.Revision)
		for _, path := range i.Paths {
			if snapshot.ClusterOfPath(path) != "" && !runs {
				signs = append(signs, fmt.Sprintf("MutatingWebhookConfiguration %s calls %s of an istiod that is not here", i.Name, path))
				break
			}
		}
	}
	for _, s := range seen.IstiodServices {
		switch elsewhere := strings.Join(append(slices.Clone(s.Addresses), s.ExternalName), ""); {
		case !s.Selector && elsewhere != "":
			signs = append(signs, fmt.Sprintf("Service %s leads out of the cluster, to %s", s.Name, strings.Trim(s.ExternalName+" "+strings.Join(s.Addresses, ", "), " ")))
		case s.Selector && len(s.Written) > 0:
			signs = append(signs, fmt.Sprintf("EndpointSlice %s leads Service %s out of the cluster", strings.Join(s.Written, ", "), s.Name))
		}
	}
	if seen.Inventory != "" {
		signs = append(signs, "ConfigMap "+seen.Inventory+" records that attach-remote was run")
	}
	return primary, signs
}

// primaryIsRemote: a cluster that shows any sign of being another primary's remote is never made a primary, nor taken for
// one. Installed over a remote, a control plane takes it from its primary and breaks the traffic between them.
func primaryIsRemote(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		owner, signs := RemoteOf(seen)
		switch {
		case len(signs) == 0:
			for _, part := range []string{snapshot.IstioNamespace, snapshot.Injectors, snapshot.IstiodServices, snapshot.InventoryPart} {
				if r := blind(seen, part); r != nil {
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
		return fail(v.instead(c, seen, there, known), "%s (%s)", text, strings.Join(signs, "; "))
	})
}

// contextOf is the primary of a name, with the context that leads to it, if one is known.
func (v view) contextOf(primary string) (mesh.Cluster, bool) {
	context := v.snapshot.Primaries[primary]
	return mesh.Cluster{Name: primary, Context: context, Role: mesh.Primary}, context != ""
}

// instead is what to do in place of taking a remote for a primary.
func (v view) instead(c mesh.Cluster, seen *snapshot.Cluster, primary mesh.Cluster, known bool) Fix {
	fix := Fix{}
	if len(seen.ControlPlanes) > 0 {
		fix = v.undoInstall(mesh.Cluster{Name: c.Name, Context: c.Context, Role: mesh.Remote}, seen)
	}
	switch {
	case slices.ContainsFunc(v.mesh.Remotes(), func(r mesh.Cluster) bool { return known && r.Context == primary.Context }):
		return advice("the arguments are swapped: %s is the primary", primary.Name).and(v.swapped(c, primary))
	case len(seen.ControlPlanes) > 0 && known:
		return fix.and(v.swapped(c, primary))
	case len(seen.ControlPlanes) > 0:
		return fix.and(advice("a control plane was installed over it: once that is deleted, attach the cluster again, with --context of its primary"))
	case known:
		fix = fix.and(Fix{Inspect: []command.Command{v.caller.There().Mesh(v.meshOf(primary), "verify")}})
	default:
		fix = fix.and(advice("name its primary with --context"))
	}
	if v.command == BeforeInstall {
		fix = fix.and(advice("to take it from its primary all the same: --convert-remote %s", command.Quote(label(c))))
	}
	return fix
}

// swapped is attach-remote (or what is asked in its place) with the clusters the other way round.
func (v view) swapped(remote, primary mesh.Cluster) Fix {
	subcommand := BeforeAttach
	if v.command == "preflight" {
		subcommand = "preflight"
	}
	arg, _ := command.Remote(mesh.Cluster{Name: mesh.ClusterName(remote.Context), Context: remote.Context, Role: mesh.Remote})
	return Fix{Commands: []command.Command{v.caller.There().Mesh(v.meshOf(primary), subcommand, arg)}}
}

// meshOf is the same mesh with another primary.
func (v view) meshOf(primary mesh.Cluster) mesh.Mesh {
	return mesh.Mesh{Namespace: v.mesh.Namespace, Clusters: []mesh.Cluster{primary}}
}

// givenAsRemote is the remote that is the primary, where the arguments are swapped: the cluster of --context has no
// control plane, and that remote has one.
func (v view) givenAsRemote() (mesh.Cluster, bool) {
	primary := v.thePrimary()
	seen := v.snapshot.Clusters[primary.Name]
	if seen == nil || len(seen.ControlPlanes) > 0 || blind(seen, snapshot.ControlPlanes) != nil {
		return mesh.Cluster{}, false
	}
	for _, c := range v.mesh.Remotes() {
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
	for _, plane := range seen.ControlPlanes {
		if plane.InstalledBy == ours {
			fix = v.kubectlThere(c, "delete", "deployments,horizontalpodautoscalers,poddisruptionbudgets", "-l", "app=istiod").
				and(v.kubectlThere(c, "delete", "secret", wellknown.CASecret, "--ignore-not-found")).
				and(v.kubectl(c, "delete", "configmaps", "--all-namespaces", "--field-selector", "metadata.name=istio-ca-root-cert"))
		}
	}
	return fix
}
