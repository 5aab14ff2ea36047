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

// ours is how a control plane that this tool installed is marked.
const ours = "kubectl-mesh"

// Adopted is true when the primary has a control plane of the revision that another tool installed.
func Adopted(m mesh.Mesh, s *snapshot.Snapshot) bool {
	plane, found := view{mesh: m, snapshot: s}.plane()
	return found && plane.InstalledBy != ours
}

// Rendered is true when that control plane is nevertheless made of objects that this tool rendered, as where a GitOps
// tool applies the folders that it wrote: they may be written to files again.
func Rendered(m mesh.Mesh, s *snapshot.Snapshot) bool {
	plane, found := view{mesh: m, snapshot: s}.plane()
	return found && plane.Rendered
}

// adoptable: install-primary reinstalls only what it installed. A control plane of another tool is read, and must
// already be what a primary is; one of its own must keep its identity.
func adoptable(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		plane, found := v.plane()
		if !found {
			return pass("no istiod of revision %s yet", v.mesh.RevisionLabel())
		}
		if plane.InstalledBy == ours || plane.Rendered {
			return sameIdentity(v, c, plane)
		}
		var missing []string
		if !plane.ExternalIstiod {
			missing = append(missing, "pilot.env.EXTERNAL_ISTIOD=true")
		}
		if plane.ClusterID == "" || plane.ClusterID == mesh.UnnamedCluster {
			missing = append(missing, "global.multiCluster.clusterName="+c.Name)
		}
		if plane.MeshID == "" {
			missing = append(missing, "global.meshID="+v.mesh.ID)
		}
		if len(missing) == 0 {
			return pass("istiod %s, installed%s, can be a primary", plane.Version, byTool(plane.InstalledBy))
		}
		return fail(v.howToSet(c, plane, missing),
			"Deployment %s in %s was installed%s and can't be a primary as it is: it lacks %s",
			plane.Name, v.mesh.Namespace, byTool(plane.InstalledBy), strings.Join(missing, ", "))
	})
}

func sameIdentity(v view, c mesh.Cluster, plane snapshot.ControlPlane) []Result {
	var kept, differ []string
	for _, identity := range []struct{ flag, has, wanted string }{
		{"--cluster-name", plane.ClusterID, c.Name},
		{"--mesh-id", plane.MeshID, v.mesh.ID},
		{"--network", plane.Network, c.Network},
	} {
		if identity.has != identity.wanted && identity.has != "" {
			kept = append(kept, identity.flag, identity.has)
			differ = append(differ, fmt.Sprintf("%s %s, not %q", identity.flag, identity.has, identity.wanted))
		}
	}
	if differ != nil {
		return fail(advice("keep it: every proxy and every remote knows it so").and(v.install(kept...)),
			"the primary was installed with %s", strings.Join(differ, ", and with "))
	}
	return pass("istiod %s, installed%s", plane.Version, byTool(plane.InstalledBy))
}

func byTool(tool string) string {
	if tool == "" {
		return " by another tool"
	}
	return " by " + tool
}

// howToSet says how chart values are set with the tool that installed a control plane.
func (v view) howToSet(c mesh.Cluster, plane snapshot.ControlPlane, chartValues []string) Fix {
	var args []string
	switch plane.InstalledBy {
	case "helm":
		args = []string{"-n", v.mesh.Namespace, "upgrade", "istiod", "istio/istiod", "--reuse-values"}
		if minor(plane.Version) != "" { // or helm would upgrade it on the way
			args = append(args, "--version", plane.Version)
		}
		for _, value := range chartValues {
			args = append(args, "--set", strings.ReplaceAll(value, ",", `\,`)) // helm takes a comma for the next value
		}
		return Fix{Commands: []command.Command{v.caller.Helm(c, args...)}}
	case "argocd", "flux":
		return advice("add to the istiod chart's values that %s applies: %s", plane.InstalledBy, strings.Join(chartValues, ", "))
	}
	args = []string{"install", "-f", "FILE"}
	for _, value := range chartValues {
		args = append(args, "--set", "values."+value)
	}
	if v.mesh.Revision != "" {
		args = append(args, "--revision", v.mesh.Revision)
	}
	return advice("repeat the istioctl install that made it, with its own -f files and flags, and these settings").
		and(Fix{Commands: []command.Command{v.caller.Istioctl(c, args...)}}.fill("FILE"))
}

func noIstiod(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		if plane, found := v.plane(); found {
			return pass("istiod %s, revision %s, %d of %d ready", plane.Version, plane.Revision, plane.Ready, plane.Desired)
		}
		var revisions []string
		for _, plane := range seen.ControlPlanes {
			revisions = append(revisions, plane.Revision)
		}
		if len(revisions) > 0 {
			return fail(advice("choose one with --revision, or install it").and(v.install()), "no istiod of revision %s in namespace %s; there is: %s",
				v.mesh.RevisionLabel(), v.mesh.Namespace, strings.Join(revisions, ", "))
		}
		if primary, is := v.givenAsRemote(); is {
			return fail(advice("the arguments are swapped: %s is the primary", primary.Name).and(v.swapped(c, primary)),
				"no istiod in namespace %s, while %s, which is given as a remote, has one", v.mesh.Namespace, primary.Name)
		}
		return fail(v.install(), "no istiod in namespace %s", v.mesh.Namespace)
	})
}

// planeCheck asks about the primary's control plane, if there is one.
func (v view) planeCheck(ask func(c mesh.Cluster, plane snapshot.ControlPlane) []Result) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		plane, found := v.plane()
		if !found {
			return skip("needs no-istiod")
		}
		return ask(c, plane)
	})
}

func externalOff(v view) []Result {
	return v.planeCheck(func(c mesh.Cluster, plane snapshot.ControlPlane) []Result {
		if plane.ExternalIstiod {
			return pass("EXTERNAL_ISTIOD=true")
		}
		fix := v.howToSet(c, plane, []string{"pilot.env.EXTERNAL_ISTIOD=true"})
		if plane.InstalledBy == ours {
			fix = v.setBack(c, plane, "EXTERNAL_ISTIOD=true")
		}
		return fail(fix,
			"Deployment %s in %s has no EXTERNAL_ISTIOD=true: it would never lead in a remote cluster", plane.Name, v.mesh.Namespace)
	})
}

// setBack sets a variable of istiod that install-primary had set and somebody has changed since. To install it again
// would undo whatever the user has set with -f, which is known to nobody else.
func (v view) setBack(c mesh.Cluster, plane snapshot.ControlPlane, variable string) Fix {
	return v.kubectlThere(c, "set", "env", "deployment/"+plane.Name, variable)
}

// scaleUp runs a Deployment that was scaled to nothing.
func (v view) scaleUp(c mesh.Cluster, deployment string) Fix {
	return v.kubectlThere(c, "scale", "deployment", deployment, "--replicas=1")
}

func nameDefault(v view) []Result {
	return v.planeCheck(func(c mesh.Cluster, plane snapshot.ControlPlane) []Result {
		if plane.ClusterID != "" && plane.ClusterID != mesh.UnnamedCluster {
			return pass("%s", plane.ClusterID)
		}
		name := plane.ClusterName
		if name == "" || name == mesh.UnnamedCluster {
			name = mesh.ClusterName(c.Context)
		}
		fix := v.howToSet(c, plane, []string{"global.multiCluster.clusterName=" + name})
		if plane.InstalledBy == ours {
			fix = v.setBack(c, plane, "CLUSTER_ID="+name)
		}
		return fail(fix,
			"Deployment %s in %s has the default cluster name %q, which every unnamed cluster has", plane.Name, v.mesh.Namespace, mesh.UnnamedCluster)
	})
}

func istiodReady(v view) []Result {
	return v.planeCheck(func(c mesh.Cluster, plane snapshot.ControlPlane) []Result {
		if plane.Ready >= plane.Desired && plane.Ready > 0 {
			return pass("%d of %d", plane.Ready, plane.Desired)
		}
		fix := v.lookThere(c, "describe", "deployment", plane.Name)
		if plane.Desired == 0 {
			fix = v.scaleUp(c, plane.Name)
		}
		return fail(fix, "Deployment %s in %s: %d of %d replicas are ready", plane.Name, v.mesh.Namespace, plane.Ready, plane.Desired)
	})
}

func versionSkew(v view) []Result {
	return v.planeCheck(func(_ mesh.Cluster, plane snapshot.ControlPlane) []Result {
		running, charts := minor(plane.Version), minor(v.charts.Release)
		if running == "" || charts == "" {
			return warn(advice("see to it that both are of one minor release; --manifests gives the charts of another"),
				"istiod is of %q, the charts at hand of %q: one of them is no release of Istio, so they can't be compared", plane.Version, v.charts.Release)
		}
		if running == charts {
			return pass("istiod %s, charts of %s", plane.Version, v.charts.Release)
		}
		r := warn
		if v.command != "verify" {
			r = fail
		}
		return r(advice("upgrade the primary to %s, or give the charts of its own release: --manifests istio-%s/manifests", charts, plane.Version),
			"istiod is of release %s, the charts at hand of %s: remotes are made with the charts of the primary's own minor release",
			plane.Version, v.charts.Release)
	})
}

// minor is 1.29 of 1.29.1; empty for a tag that is no version.
func minor(release string) string {
	parts := strings.Split(release, ".")
	if len(parts) < 2 || parts[0] != "1" {
		return ""
	}
	number, _, _ := strings.Cut(parts[1], "-")
	return parts[0] + "." + number
}

func addressPending(v view) []Result {
	return v.primary(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway(wellknown.EastWestGateway)
		if !found {
			return fail(v.expose(), "no east-west gateway (Service istio-eastwestgateway in %s)", v.mesh.Namespace)
		}
		if gateway.Address == "" && gateway.Type == "LoadBalancer" {
			return fail(advice("see to the cluster's load balancer (a cloud's, MetalLB), or say where the gateway is reached").and(v.expose("--address", "ADDRESS").fill("ADDRESS")),
				"Service %s in %s has no external address: no load balancer has given it one", gateway.Name, v.mesh.Namespace)
		}
		if gateway.Address == "" {
			return fail(v.expose("--force-conflicts"),
				"Service %s in %s (%s) has no external address", gateway.Name, v.mesh.Namespace, gateway.Type)
		}
		return pass("%s", gateway.Address)
	})
}

func gatewayReady(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway(wellknown.EastWestGateway)
		if !found {
			return skip("needs address-pending")
		}
		if gateway.ReadyEndpoints == 0 {
			fix := v.lookThere(c, "describe", "pods", "-l", "istio=eastwestgateway")
			if gateway.Stopped {
				fix = v.scaleUp(c, gateway.Name)
			}
			return fail(fix, "no pod of %s in %s is ready", gateway.Name, v.mesh.Namespace)
		}
		return pass("ready pods: %d", gateway.ReadyEndpoints)
	})
}

func notExposed(v view) []Result {
	return v.primary(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.ExposedIstiods); r != nil {
			return r
		}
		if slices.Contains(seen.Exposed, v.mesh.RevisionLabel()) {
			return pass("ports 15012 and 15017, revision %s", v.mesh.RevisionLabel())
		}
		return fail(v.expose(), "no Gateway with a VirtualService in %s publishes istiod of revision %s", v.mesh.Namespace, v.mesh.RevisionLabel())
	})
}
