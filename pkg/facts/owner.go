package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// controlPlane is that of a mesh's first primary, of the mesh's revision, if it is there.
func controlPlane(m mesh.Mesh, s *snapshot.Snapshot) (snapshot.ControlPlane, bool) {
	primary, found := m.Primary()
	seen := s.Clusters[primary.Name]
	if !found || seen == nil {
		return snapshot.ControlPlane{}, false
	}
	return seen.ControlPlane(m.RevisionLabel())
}

// Adopted is true when the primary has a control plane of the revision that another tool installed.
func Adopted(m mesh.Mesh, s *snapshot.Snapshot) bool {
	plane, found := controlPlane(m, s)
	return found && !plane.Ours()
}

// Rendered is true when the primary's control plane is made of objects that this tool rendered, whoever applied them, as where a
// GitOps tool applies the folders that it wrote: they may be written to files again.
func Rendered(m mesh.Mesh, s *snapshot.Snapshot) bool {
	plane, found := controlPlane(m, s)
	return found && plane.Rendered
}

// RemoteOf says by what a cluster shows that it is another primary's remote, or was made a primary while it was one; no
// signs mean that it shows nothing of the kind. primary is that primary's name, where the cluster tells it.
func RemoteOf(seen *snapshot.Cluster) (primary string, signs []string) {
	if owners := Owners(seen); ownedByOthers(seen, owners) {
		if owners[0] != "*" {
			primary = owners[0]
		}
		signs = append(signs, "annotation topology.istio.io/controlPlaneClusters="+seen.Namespace.ControlPlaneClusters)
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

// ownedByOthers is true for a cluster whose annotation names primaries, and none that is in it.
func ownedByOthers(seen *snapshot.Cluster, owners []string) bool {
	own := func(name string) bool {
		return slices.ContainsFunc(seen.ControlPlanes, func(p snapshot.ControlPlane) bool { return p.ClusterID == name })
	}
	anybodys := slices.Equal(owners, []string{"*"}) && len(seen.ControlPlanes) > 0
	return len(owners) > 0 && !slices.ContainsFunc(owners, own) && !anybodys
}
