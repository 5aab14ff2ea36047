package check

import (
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func noIstiodCheck() Check {
	return Check{
		ID: "no-istiod", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "the primary has a control plane",
		Before: []string{BeforeExpose, BeforeAttach}, Verify: true,
		Needs: []string{"reachable", "primary-is-remote"},
		Why: `The primary has no istiod of the wanted revision. Either none was installed, or --revision, --namespace or --context
			lead elsewhere.`,
		Fix:   `Install it with install-primary, or choose one of the revisions that there are with --revision.`,
		judge: noIstiod,
	}
}

func noIstiod(v view) []Result {
	return v.ownCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		if controlPlane, found := v.controlPlane(); found {
			return pass("istiod %s, revision %s, %d of %d ready", controlPlane.Version, controlPlane.Revision, controlPlane.Ready, controlPlane.Desired)
		}
		var revisions []string
		for _, controlPlane := range seen.ControlPlanes {
			revisions = append(revisions, controlPlane.Revision)
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

func istiodReadyCheck() Check {
	return Check{
		ID: "istiod-ready", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "every istiod replica is ready",
		Verify: true,
		Needs:  []string{"no-istiod"},
		Why: `Not every replica of istiod is ready. Running proxies keep what they have, but new pods get no sidecar and no
			certificate from a replica that is down. istiod may also wait for a remote cluster that does not answer
			(PILOT_REMOTE_CLUSTER_TIMEOUT), until it gives up (#30838, #33564).`,
		Fix:   `Look at the Deployment's events and at the log of its pods.`,
		judge: istiodReady,
	}
}

func istiodReady(v view) []Result {
	return v.ofControlPlane(func(c mesh.Cluster, controlPlane snapshot.ControlPlane) []Result {
		if controlPlane.Ready >= controlPlane.Desired && controlPlane.Ready > 0 {
			return pass("%d of %d", controlPlane.Ready, controlPlane.Desired)
		}
		fix := v.inspectNamespaced(c, "describe", "deployment", controlPlane.Name)
		if controlPlane.Desired == 0 {
			fix = v.scaleUp(c, controlPlane.Name)
		}
		return fail(fix, "Deployment %s in %s: %d of %d replicas are ready", controlPlane.Name, v.mesh.Namespace, controlPlane.Ready, controlPlane.Desired)
	})
}

func externalOffCheck() Check {
	return Check{
		ID: "external-off", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "istiod may manage remote clusters",
		Before: []string{BeforeExpose, BeforeAttach}, Verify: true,
		Needs: []string{"no-istiod"},
		Why: `istiod was installed without EXTERNAL_ISTIOD=true. It then reads remote clusters, but never leads in them: it writes
			no root certificates there and patches no webhooks, so that no pod of a remote can start with a sidecar.`,
		Fix:   `Set pilot.env.EXTERNAL_ISTIOD=true with the tool that installed istiod.`,
		judge: externalOff,
	}
}

func externalOff(v view) []Result {
	return v.ofControlPlane(func(c mesh.Cluster, controlPlane snapshot.ControlPlane) []Result {
		if controlPlane.ExternalIstiod {
			return pass("EXTERNAL_ISTIOD=true")
		}
		fix := v.howToSet(c, controlPlane, []string{"pilot.env.EXTERNAL_ISTIOD=true"})
		if controlPlane.Ours() {
			fix = v.setBack(c, controlPlane, "EXTERNAL_ISTIOD=true")
		}
		return fail(fix,
			"Deployment %s in %s has no EXTERNAL_ISTIOD=true: it would never lead in a remote cluster", controlPlane.Name, v.mesh.Namespace)
	})
}

func nameDefaultCheck() Check {
	return Check{
		ID: "name-default", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "the primary has a name of its own",
		Before: []string{BeforeExpose, BeforeAttach}, Verify: true,
		Needs: []string{"no-istiod"},
		Why: `The control plane has the default cluster name "Kubernetes" (#42516). Every cluster that nobody named has it. Two of
			one name can't be told apart: istiod would take a remote's pods for its own, or ignore the remote.`,
		Fix: `Set global.multiCluster.clusterName with the tool that installed istiod, and restart the workloads, which carry the
			old name.`,
		judge: nameDefault,
	}
}

func nameDefault(v view) []Result {
	return v.ofControlPlane(func(c mesh.Cluster, controlPlane snapshot.ControlPlane) []Result {
		if controlPlane.ClusterID != "" && controlPlane.ClusterID != mesh.UnnamedCluster {
			return pass("%s", controlPlane.ClusterID)
		}
		name := controlPlane.ClusterName
		if name == "" || name == mesh.UnnamedCluster {
			name = mesh.ClusterName(c.Context)
		}
		fix := v.howToSet(c, controlPlane, []string{"global.multiCluster.clusterName=" + name})
		if controlPlane.Ours() {
			fix = v.setBack(c, controlPlane, "CLUSTER_ID="+name)
		}
		return fail(fix,
			"Deployment %s in %s has the default cluster name %q, which every unnamed cluster has", controlPlane.Name, v.mesh.Namespace, mesh.UnnamedCluster)
	})
}

func versionSkewCheck() Check {
	return Check{
		ID: "version-skew", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "control plane and charts are of one minor release",
		Before: []string{BeforeExpose, BeforeAttach}, Verify: true,
		Needs: []string{"no-istiod"},
		Why: `The primary's istiod and the charts that remotes are made with are of different minor releases. A remote would get
			webhooks, roles and settings that fit another istiod (#52951). verify only warns, since what is installed may fit;
			commands that would write refuse.`,
		Fix:   `Upgrade the primary, or give the charts of its own release with --manifests.`,
		judge: versionSkew,
	}
}

func versionSkew(v view) []Result {
	return v.ofControlPlane(func(_ mesh.Cluster, controlPlane snapshot.ControlPlane) []Result {
		running, charts := minor(controlPlane.Version), minor(v.charts.Release)
		if running == "" || charts == "" {
			return warn(advice("see to it that both are of one minor release; --manifests gives the charts of another"),
				"istiod is of %q, the charts at hand of %q: one of them is no release of Istio, so they can't be compared", controlPlane.Version, v.charts.Release)
		}
		if running == charts {
			return pass("istiod %s, charts of %s", controlPlane.Version, v.charts.Release)
		}
		r := warn
		if !v.asker.finished {
			r = fail
		}
		return r(advice("upgrade the primary to %s, or give the charts of its own release: --manifests istio-%s/manifests", charts, controlPlane.Version),
			"istiod is of release %s, the charts at hand of %s: remotes are made with the charts of the primary's own minor release",
			controlPlane.Version, v.charts.Release)
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

// ofControlPlane asks about the primary's control plane, if there is one.
func (v view) ofControlPlane(ask func(c mesh.Cluster, controlPlane snapshot.ControlPlane) []Result) []Result {
	return v.ownCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		controlPlane, found := v.controlPlane()
		if !found {
			return needs("no-istiod")
		}
		return ask(c, controlPlane)
	})
}

// setBack sets a variable of istiod that install-primary had set and that was changed since. Installing istiod again could undo
// what the user had set with -f.
func (v view) setBack(c mesh.Cluster, controlPlane snapshot.ControlPlane, variable string) Fix {
	return v.kubectlNamespaced(c, "set", "env", "deployment/"+controlPlane.Name, variable)
}

// istiodName is the name of the primary's Deployment, and of the Service.
func (v view) istiodName() string { return wellknown.Revisioned(wellknown.Istiod, v.mesh.Revision) }
