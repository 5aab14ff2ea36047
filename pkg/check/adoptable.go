package check

import (
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func adoptableCheck() Check {
	return Check{
		ID: "adoptable", Subject: OfControlPlane, Category: ControlPlane,
		Title:  "a control plane that is there can be a primary",
		Before: []string{BeforeInstall}, Preflight: true,
		Needs: []string{"reachable", "primary-is-remote"},
		Why: `A control plane is there that another tool installed. It is read, never installed again, so it must already be what a
			primary is: it may manage remote clusters (EXTERNAL_ISTIOD), and has a cluster name and a mesh ID of its own. A
			primary that kubectl-mesh installed keeps its name, mesh ID and network, because every proxy and every remote knows it
			by them.`,
		Fix:   `Set the missing values with the tool that made the control plane. The result names the tool and its command.`,
		judge: adoptable,
	}
}

// adoptable: install-primary reinstalls only what it installed. A control plane of another tool is read, and must
// already be what a primary is; one of its own must keep its identity.
func adoptable(v view) []Result {
	return v.ownCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.ControlPlanes); r != nil {
			return r
		}
		controlPlane, found := v.controlPlane()
		if !found {
			return pass("no istiod of revision %s yet", v.mesh.RevisionLabel())
		}
		if controlPlane.Ours() || controlPlane.Rendered {
			return sameIdentity(v, c, controlPlane)
		}
		var missing []string
		if !controlPlane.ExternalIstiod {
			missing = append(missing, "pilot.env.EXTERNAL_ISTIOD=true")
		}
		if controlPlane.ClusterID == "" || controlPlane.ClusterID == mesh.UnnamedCluster {
			missing = append(missing, "global.multiCluster.clusterName="+c.Name)
		}
		if controlPlane.MeshID == "" {
			missing = append(missing, "global.meshID="+v.mesh.ID)
		}
		if len(missing) == 0 {
			return pass("istiod %s, installed%s, can be a primary", controlPlane.Version, byTool(controlPlane.InstalledBy))
		}
		return fail(v.howToSet(c, controlPlane, missing),
			"Deployment %s in %s was installed%s and can't be a primary as it is: it lacks %s",
			controlPlane.Name, v.mesh.Namespace, byTool(controlPlane.InstalledBy), strings.Join(missing, ", "))
	})
}

func sameIdentity(v view, c mesh.Cluster, controlPlane snapshot.ControlPlane) []Result {
	var kept, differ []string
	for _, identity := range []struct{ flag, has, wanted string }{
		{"--cluster-name", controlPlane.ClusterID, c.Name},
		{"--mesh-id", controlPlane.MeshID, v.mesh.ID},
		{"--network", controlPlane.Network, c.Network},
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
	return pass("istiod %s, installed%s", controlPlane.Version, byTool(controlPlane.InstalledBy))
}

func byTool(tool string) string {
	if tool == "" {
		return " by another tool"
	}
	return " by " + tool
}

// howToSet says how chart values are set with the tool that installed a control plane.
func (v view) howToSet(c mesh.Cluster, controlPlane snapshot.ControlPlane, chartValues []string) Fix {
	var args []string
	switch controlPlane.InstalledBy {
	case "helm":
		args = []string{"-n", v.mesh.Namespace, "upgrade", "istiod", "istio/istiod", "--reuse-values"}
		if minor(controlPlane.Version) != "" { // or helm would upgrade it on the way
			args = append(args, "--version", controlPlane.Version)
		}
		for _, value := range chartValues {
			args = append(args, "--set", strings.ReplaceAll(value, ",", `\,`)) // helm takes a comma for the next value
		}
		return Fix{Commands: []command.Command{v.caller.Helm(v.byContext(c), args...)}}
	case "argocd", "flux":
		return advice("add to the istiod chart's values that %s applies: %s", controlPlane.InstalledBy, strings.Join(chartValues, ", "))
	}
	args = []string{"install", "-f", "FILE"}
	for _, value := range chartValues {
		args = append(args, "--set", "values."+value)
	}
	if v.mesh.Revision != "" {
		args = append(args, "--revision", v.mesh.Revision)
	}
	return advice("repeat the istioctl install that made it, with its own -f files and flags, and these settings").
		and(Fix{Commands: []command.Command{v.caller.Istioctl(v.byContext(c), args...)}}.fill("FILE"))
}
