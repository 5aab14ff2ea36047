package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func meshIDCheck() Check {
	return Check{
		ID: "mesh-id", Subject: OfLink, Category: ControlPlane,
		Title:  "all clusters have one mesh id",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `The remote was installed with another mesh ID than the primary. Proxies report it in their telemetry and for
			federation, where the two then look like different meshes.`,
		Fix:   `Attach the cluster again, which takes the primary's mesh ID, and restart the workloads.`,
		judge: meshID,
	}
}

func meshID(v view) []Result {
	controlPlane, found := v.controlPlane()
	return v.eachRemote(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.InstalledValues); r != nil {
			return r
		}
		installed, there := seen.Installed[v.mesh.RevisionLabel()]
		if !found || !there || installed.MeshID == "" || controlPlane.MeshID == "" {
			return skip("no mesh id to compare")
		}
		if installed.MeshID != controlPlane.MeshID {
			return fail(v.attachForced(c), "this cluster was installed with mesh id %q, the primary with %q", installed.MeshID, controlPlane.MeshID)
		}
		return pass("%s", installed.MeshID)
	})
}
