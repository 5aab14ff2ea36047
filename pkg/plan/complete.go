package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// PrimaryKey is the name under which the primary stands in a Snapshot before its own name is known.
const PrimaryKey = ""

// Rename is the snapshot with the primary under its name, once that is known, in place of PrimaryKey.
func Rename(s *snapshot.Snapshot, name string) *snapshot.Snapshot {
	if s.Clusters[PrimaryKey] == nil || name == PrimaryKey {
		return s
	}
	return s.Renamed(map[string]string{PrimaryKey: name})
}

// Recorded are the names under which the primary has remotes already, by the names that the mesh gives them, where those
// are others: a cluster is told by its UID, whatever its context is called. A name that the user chose stays, and so do
// names that would no longer be one cluster's alone.
func Recorded(m mesh.Mesh, s *snapshot.Snapshot) map[string]string {
	primary := s.Clusters[PrimaryKey]
	if primary == nil {
		return nil
	}
	recorded, taken := map[string]string{}, map[string]int{}
	for _, c := range m.Remotes() {
		name := recordedName(primary.RemoteSecrets, s.Clusters[c.Name], c)
		recorded[c.Name] = name
		taken[name]++
	}
	maps.DeleteFunc(recorded, func(was, is string) bool { return was == is || taken[is] > 1 })
	return recorded
}

// recordedName is that of a secret which leads to the cluster: of several the one that its pods are given.
func recordedName(secrets []snapshot.RemoteSecret, seen *snapshot.Cluster, c mesh.Cluster) string {
	if seen == nil || seen.UID == "" || c.Named {
		return c.Name
	}
	var names []string
	for _, secret := range secrets {
		if leads, _ := facts.IsFor(secret, seen); leads {
			names = append(names, secret.Cluster)
		}
	}
	if len(names) == 0 || slices.Contains(names, c.Name) {
		return c.Name
	}
	for _, name := range names {
		if slices.Contains(seen.InjectedNames(), name) {
			return name
		}
	}
	return names[0]
}

// Complete fills in what the primary itself says of the mesh: its name, mesh id, revision and network. The remotes
// that have no network of their own get the primary's. A primary without a control plane leaves the mesh as it is.
// The error says what the user must choose, where the primary leaves a choice.
func Complete(m mesh.Mesh, s *snapshot.Snapshot) (mesh.Mesh, error) {
	_, found := m.Primary()
	seen := s.Clusters[PrimaryKey]
	if !found || seen == nil {
		return m, nil
	}
	revision, err := ChooseRevision(m, seen)
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
			c.Server = serverOf(seen, plane, s.Clusters[c.Name], c.Name)
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
func networkOf(seen *snapshot.Cluster, role mesh.Role) string {
	if role != mesh.Remote || seen == nil || seen.Namespace == nil {
		return ""
	}
	return seen.Namespace.Network
}

// serverOf is the API server's address that the primary has been given for a remote before; it stays unless the user
// gives another one. One that can't work, since it means the caller's own machine, does not, nor does one that is known
// not to work where the kubeconfig's does.
func serverOf(primary *snapshot.Cluster, plane snapshot.ControlPlane, remote *snapshot.Cluster, name string) string {
	for _, secret := range primary.RemoteSecrets {
		if secret.Cluster == name && secret.Error == "" && !mesh.IsLocal(secret.Server) {
			if fails(secret, plane, remote) && serves(remote) {
				return ""
			}
			return secret.Server
		}
	}
	return ""
}

// fails is true for a secret's address that can't be the remote's API server, or answers neither istiod nor this machine.
func fails(secret snapshot.RemoteSecret, plane snapshot.ControlPlane, remote *snapshot.Cluster) bool {
	if secret.Unidentified == nil {
		return false
	}
	switch secret.Unidentified.Problem {
	case snapshot.ServerUntrusted:
		return true
	case snapshot.TokenRefused: // the remote's own token, so that it is another API server
		return remote != nil && remote.ReaderToken != nil && remote.ReaderToken.Token == secret.Token
	case snapshot.ServerUnreachable: // from here; istiod knows better
		return facts.AnyAsked(plane) && !facts.SyncedOnAny(plane, secret.Cluster)
	}
	return false
}

// serves is true for a remote whose API server answers at the kubeconfig's address, as itself, and may do so to istiod.
func serves(remote *snapshot.Cluster) bool {
	return remote != nil && remote.UID != "" && remote.Server != "" && !mesh.IsLocal(remote.Server) && remote.Proxy == "" && remote.Untrusted == ""
}

// ChooseRevision is the user's revision, else the only one, else the default one, else the one tagged default.
func ChooseRevision(m mesh.Mesh, seen *snapshot.Cluster) (string, error) {
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
