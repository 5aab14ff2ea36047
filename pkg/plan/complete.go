package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// PrimaryKey is the name under which the primary stands in a Snapshot before its own name is known.
const PrimaryKey = ""

// Rename gives the primary its name, once that is known, in place of PrimaryKey.
func Rename(s *observe.Snapshot, name string) {
	if seen := s.Clusters[PrimaryKey]; seen != nil && name != PrimaryKey {
		seen.Name = name
		s.Clusters[name] = seen
		delete(s.Clusters, PrimaryKey)
	}
}

// Complete fills in what the primary itself says of the mesh: its name, mesh id, revision and network. The remotes
// that have no network of their own get the primary's. A primary without a control plane leaves the mesh as it is.
// The error says what the user must choose, where the primary leaves a choice.
func Complete(m mesh.Mesh, s *observe.Snapshot) (mesh.Mesh, error) {
	_, found := m.Primary()
	seen := s.Clusters[PrimaryKey]
	if !found || seen == nil {
		return m, nil
	}
	revision, err := chooseRevision(m, seen)
	if err != nil {
		return m, err
	}
	m.Revision = revision
	plane, there := seen.ControlPlane(m.RevisionLabel())
	if !there {
		return m, nil
	}
	m.ID = cmp.Or(m.ID, plane.MeshID)
	network := plane.Network
	if network == "" && seen.Namespace != nil {
		network = seen.Namespace.Network
	}
	clusters := make([]mesh.Cluster, len(m.Clusters))
	for i, c := range m.Clusters {
		c.Network = cmp.Or(c.Network, networkOf(s.Clusters[c.Name], c.Role), network)
		if c.Role == mesh.Remote && c.Server == "" {
			c.Server = serverOf(seen, c.Name)
		}
		if c.Role == mesh.Primary && c.Name == "" {
			c.Name = plane.ClusterID
		}
		clusters[i] = c
	}
	m.Clusters = clusters
	return m, nil
}

// networkOf is the network that a remote was given before.
func networkOf(seen *observe.Cluster, role mesh.Role) string {
	if role != mesh.Remote || seen == nil || seen.Namespace == nil {
		return ""
	}
	return seen.Namespace.Network
}

// serverOf is the API server's address that the primary has been given for a remote before; it stays unless the user
// gives another one. One that can't work, since it means the caller's own machine, does not.
func serverOf(primary *observe.Cluster, remote string) string {
	for _, secret := range primary.RemoteSecrets {
		if secret.Cluster == remote && secret.Error == "" && !mesh.IsLocal(secret.Server) {
			return secret.Server
		}
	}
	return ""
}

// chooseRevision is the user's revision, else the only one, else the default one, else the one tagged default.
func chooseRevision(m mesh.Mesh, seen *observe.Cluster) (string, error) {
	if m.Revision == mesh.DefaultRevision {
		return "", nil
	}
	if m.Revision != "" || len(seen.ControlPlanes) == 0 {
		return m.Revision, nil
	}
	unnamed := func(label string) string {
		if label == mesh.DefaultRevision {
			return ""
		}
		return label
	}
	if _, found := seen.ControlPlane(mesh.DefaultRevision); found {
		return "", nil
	}
	if len(seen.ControlPlanes) == 1 {
		return unnamed(seen.ControlPlanes[0].Revision), nil
	}
	for _, injector := range seen.Injectors {
		if injector.Tag == mesh.DefaultRevision {
			return unnamed(injector.Revision), nil
		}
	}
	var revisions []string
	for _, plane := range seen.ControlPlanes {
		revisions = append(revisions, plane.Revision)
	}
	return "", fmt.Errorf("the primary %q has several control planes and none is the default: choose with --revision one of %s",
		seen.Context, strings.Join(revisions, ", "))
}
