package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func reachable(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		reason, silent := seen.CouldNotRead(snapshot.APIServer)
		switch {
		case silent && c.Role == mesh.Remote && !hasContext(c):
			if seen.Secret != "" {
				reason = fmt.Sprintf("no context leads to this cluster, and with the credentials of Secret %s: %s", seen.Secret, reason)
			}
			return []Result{{Status: Unknown, Seen: reason, Fix: advice("name the remote's context").and(v.verify(c.Name + "=CONTEXT").fill("CONTEXT"))}}
		case silent && !seen.Answers(): // it may be well, and the way to it not
			return []Result{{Status: Unknown, Seen: fmt.Sprintf("context %q (%s): %s", c.Context, seen.Server, reason), Fix: v.look(c, "get", "namespace", "kube-system")}}
		case silent:
			return fail(v.look(c, "get", "namespace", "kube-system"), "context %q (%s): %s", c.Context, seen.Server, reason)
		case seen.Secret != "":
			return pass("%s, Kubernetes %s; no context leads here, so it was read with the credentials of Secret %s", seen.Server, seen.KubernetesVersion, seen.Secret)
		}
		return pass("%s, Kubernetes %s", seen.Server, seen.KubernetesVersion)
	})
}

func sameCluster(v view) []Result {
	first := map[string]mesh.Cluster{}
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Identity); r != nil {
			return r
		}
		other, twice := first[seen.UID]
		if twice && v.command == "verify" && (other.Context == c.Context || !hasContext(other) && !hasContext(c)) {
			return skip("needs name-duplicate") // it was reached in one way and has two names
		}
		if twice {
			return fail(advice("leave one of them out"), "%s and %s lead to the same cluster (kube-system has UID %s in both)",
				v.way(other), v.way(c), seen.UID)
		}
		first[seen.UID] = c
		return pass("kube-system has UID %s", seen.UID)
	})
}

// way is how a cluster was reached.
func (v view) way(c mesh.Cluster) string {
	if seen := v.snapshot.Clusters[c.Name]; seen != nil && seen.Secret != "" {
		return "Secret " + seen.Secret
	}
	return fmt.Sprintf("context %q", c.Context)
}

func permission(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Permissions); r != nil {
			return r
		}
		denied := slices.DeleteFunc(slices.Clone(seen.Denied), func(p snapshot.Permission) bool {
			// Who may write in Istio's namespace and nowhere else has been given one that is there.
			return seen.Namespace != nil && p.Verb == "create" && p.Resource == "namespaces"
		})
		if len(denied) == 0 {
			return pass("all granted")
		}
		return fail(advice("ask an administrator of the cluster for these permissions").and(v.look(c, "auth", "can-i", "--list")),
			"you may not %s", describe(denied))
	})
}

// describe names permissions, those of the same verbs and namespace together.
func describe(permissions []snapshot.Permission) string {
	type object struct{ namespace, resource string }
	var objects []object
	verbs := map[object][]string{}
	for _, p := range permissions {
		o := object{p.Namespace, p.Resource}
		if p.Group != "" {
			o.resource += "." + p.Group
		}
		if p.Name != "" {
			o.resource += "/" + p.Name
		}
		if verbs[o] == nil {
			objects = append(objects, o)
		}
		verbs[o] = append(verbs[o], p.Verb)
	}
	var groups []string
	resources := map[string][]string{}
	for _, o := range objects {
		where := " in the whole cluster"
		if o.namespace != "" {
			where = " in namespace " + o.namespace
		}
		group := strings.Join(verbs[o], " or ") + where
		if resources[group] == nil {
			groups = append(groups, group)
		}
		resources[group] = append(resources[group], o.resource)
	}
	for i, group := range groups {
		groups[i] = group + ": " + strings.Join(resources[group], ", ")
	}
	return strings.Join(groups, "; ")
}

func kubernetesVersion(v view) []Result {
	return v.each(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.KubernetesVersion); r != nil {
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

func terminating(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if seen.Namespace != nil && seen.Namespace.Terminating {
			return fail(advice("wait until it is gone").and(v.kubectl(c, "wait", "--for=delete", "namespace/"+v.mesh.Namespace, "--timeout=5m")),
				"namespace %s is being deleted", v.mesh.Namespace)
		}
		return pass("%s", v.mesh.Namespace)
	})
}

func ownControlPlane(v view) []Result {
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		if len(seen.ControlPlanes) == 0 {
			return pass("no istiod in %s", v.mesh.Namespace)
		}
		plane := seen.ControlPlanes[0]
		if primary, is := v.givenAsRemote(); is {
			return fail(advice("the arguments are swapped: %s is the primary", primary.Name).and(v.swapped(v.thePrimary(), primary)),
				"Deployment %s in %s: this cluster has a control plane, and %s, which is given as its primary, has none", plane.Name, v.mesh.Namespace, label(v.thePrimary()))
		}
		if held, attached := v.secretOf(c.Name); attached && held.UID == seen.UID && seen.UID != "" && plane.InstalledBy == ours {
			return fail(v.undoInstall(c, seen).and(v.attachOver(c)).and(advice("then restart the pods that got a sidecar since")),
				"Deployment %s in %s: a control plane was installed over this remote (cluster id %q, revision %s)", plane.Name, v.mesh.Namespace, plane.ClusterID, plane.Revision)
		}
		return fail(advice("a remote is managed by the primary's istiod. Remove this one with the tool that installed it%s, or leave the cluster out", by(plane.InstalledBy)),
			"Deployment %s in %s: this cluster has a control plane of its own (cluster id %q, revision %s)",
			plane.Name, v.mesh.Namespace, plane.ClusterID, plane.Revision)
	})
}

func by(tool string) string {
	if tool == "" {
		return ""
	}
	return " (" + tool + ")"
}

func otherPrimary(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if seen.Namespace == nil || seen.Namespace.ControlPlaneClusters == "" {
			return pass("belongs to no primary yet")
		}
		if primary.Name == "" {
			return skip("needs no-istiod")
		}
		owners := strings.Split(seen.Namespace.ControlPlaneClusters, ",")
		if slices.Contains(owners, primary.Name) || slices.Contains(owners, "*") {
			return pass("belongs to %s", seen.Namespace.ControlPlaneClusters)
		}
		return fail(advice("take it out of that primary's mesh first; only if that primary is gone, take the annotation away").
			and(v.kubectl(c, "annotate", "namespace", v.mesh.Namespace, wellknown.ControlPlaneClustersAnnotation+"-")),
			"namespace %s says that the cluster belongs to primary %q (topology.istio.io/controlPlaneClusters)",
			v.mesh.Namespace, seen.Namespace.ControlPlaneClusters)
	})
}

// podNetwork is the network that a remote's injector gives pods (/inject/cluster/NAME/net/NETWORK), if it does.
func (v view) podNetwork(seen *snapshot.Cluster) string {
	for _, i := range v.injectors(seen) {
		for _, path := range i.Paths {
			if _, network, found := strings.Cut(path, "/net/"); found {
				return network
			}
		}
	}
	return ""
}

func networkLabel(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if c.Network == "" {
			return pass("no network is named")
		}
		if seen.Namespace == nil {
			return skip("needs annotation-missing") // the namespace is
		}
		has, wanted := seen.Namespace.Network, cmp.Or(v.podNetwork(seen), c.Network)
		if has == wanted {
			return pass("%s", has)
		}
		return fail(v.kubectl(c, "label", "--overwrite", "namespace", v.mesh.Namespace, wellknown.NetworkLabel+"="+wanted),
			"namespace %s has label topology.istio.io/network=%q, expected %q", v.mesh.Namespace, has, wanted)
	})
}
