package app

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// unnamedPrimary stands for the primary's name until that is known (see complete).
const unnamedPrimary = plan.PrimaryKey

// keyOf is the name under which a cluster is connected and looked at.
func keyOf(c mesh.Cluster) string {
	if c.Role == mesh.Primary {
		return unnamedPrimary
	}
	return c.Name
}

// Contexts are the kubeconfig's contexts, and which of them is the primary's; empty if none is.
func (s Session) Contexts() (contexts []string, primary string, err error) {
	contexts, primary, err = cluster.Contexts(s.Kubeconfig)
	if *s.Kubeconfig.Context != "" {
		primary = *s.Kubeconfig.Context
	}
	return contexts, primary, err
}

// newMesh makes the mesh of the primary and the given remotes, each CONTEXT or NAME=CONTEXT, with every context known to
// be there.
func (s Session) newMesh(remotes []string) (mesh.Mesh, error) {
	contexts, primary, err := s.Contexts()
	if err != nil {
		return mesh.Mesh{}, err
	}
	m := mesh.Mesh{
		Namespace: s.Namespace, Revision: s.Revision,
		Clusters: []mesh.Cluster{{Context: primary, Role: mesh.Primary}},
	}
	if err := m.ValidateNames(); err != nil {
		return m, usage("%w", err)
	}
	if err := s.validatePrimary(primary, contexts); err != nil {
		return m, err
	}
	for _, arg := range remotes {
		ref, err := mesh.ParseClusterRef(arg, contexts)
		if err != nil {
			return m, usage("%w", err)
		}
		if !slices.Contains(contexts, ref.Context) {
			return m, s.unknownContext(ref.Context, contexts)
		}
		if err := cluster.ValidateContext(s.Kubeconfig, ref.Context, false); err != nil {
			return m, usage("%w", err)
		}
		if ref.Context == primary {
			return m, usage("context %q is the primary itself (--context): a remote is another cluster", primary)
		}
		if err := mesh.ValidateClusterName(ref.Name); err != nil {
			return m, usage("%w", err)
		}
		m.Clusters = append(m.Clusters, mesh.Cluster{Name: ref.Name, Named: ref.Named, Context: ref.Context, Role: mesh.Remote})
	}
	return m, nil
}

// validatePrimary refuses a context with which the primary can't be called; no context is one's own cluster, in a pod.
func (s Session) validatePrimary(context string, contexts []string) error {
	switch {
	case context == "" && (*s.Kubeconfig.APIServer != "" || cluster.InCluster()):
		return nil
	case context == "":
		if missing := cluster.MissingFiles(s.Kubeconfig); len(contexts) == 0 && missing != "" {
			return usage("there is no kubeconfig: %s does not exist", missing)
		}
		return usage("which cluster is the primary? Name its context with --context (the kubeconfig has no current one)")
	case !slices.Contains(contexts, context):
		return s.unknownContext(context, contexts)
	}
	if err := cluster.ValidateContext(s.Kubeconfig, context, true); err != nil {
		return usage("%w", err)
	}
	return nil
}

func (s Session) unknownContext(context string, known []string) error {
	return usage("%w", &cluster.UnknownContextError{Context: context, Known: known, Missing: cluster.MissingFiles(s.Kubeconfig)})
}

// addServers gives remotes the addresses by which the primary reaches their API servers: URL for a single remote, or
// NAME=URL for one of several.
func addServers(clusters []mesh.Cluster, servers []string) error {
	for _, given := range servers {
		name, server, named := strings.Cut(given, "=")
		if !named {
			name, server = "", given
		}
		parsed, err := url.Parse(server)
		if err != nil || parsed.Scheme != "https" || parsed.Host == "" {
			return usage("--remote-server %q is not an address such as https://10.0.0.1:6443", server)
		}
		matched := 0
		for i := range clusters {
			if clusters[i].Role == mesh.Remote && (name == "" || clusters[i].Name == name) {
				clusters[i].Server = server
				matched++
			}
		}
		if name == "" && matched > 1 {
			return usage("--remote-server is for one cluster, and %d are given: use NAME=URL", matched)
		}
		if matched == 0 {
			return usage("--remote-server names cluster %q, which is not among those given", name)
		}
	}
	return nil
}

// recognize gives the remotes that the primary has already the names under which it has them. It returns these, by the
// names that the remotes had.
func (st *state) recognize() map[string]string {
	recorded := plan.Recorded(st.mesh, st.snapshot)
	clusters := maps.Clone(st.clusters)
	for was := range recorded { // before the new names come in: two may have changed theirs for one another's
		delete(clusters, was)
	}
	for was, is := range recorded {
		if c := st.clusters[was]; c != nil {
			c.Name, clusters[is] = is, c
		}
	}
	st.clusters, st.snapshot = clusters, st.snapshot.Renamed(recorded)
	st.mesh.Clusters = slices.Clone(st.mesh.Clusters)
	for i, c := range st.mesh.Clusters {
		if is, known := recorded[c.Name]; known && c.Role == mesh.Remote {
			st.mesh.Clusters[i].Name = is
		}
	}
	return recorded
}

// chooseRevision settles on which of the primary's revisions the command is about, where it is not told.
func (st *state) chooseRevision() error {
	seen := st.primary()
	if seen == nil {
		return nil
	}
	revision, err := plan.ChooseRevision(st.mesh, seen)
	if err != nil {
		return usage("%w", err)
	}
	st.mesh.Revision = revision
	return nil
}

// complete fills the mesh in with what the primary says, and gives the remotes that it has, and itself, their names
// everywhere. It returns the names of remotes that are recorded under another one than the mesh had for them.
func (st *state) complete() (recorded map[string]string, err error) {
	recorded = st.recognize()
	m, err := plan.Complete(st.mesh, st.snapshot)
	if err != nil {
		return nil, usage("%w", err)
	}
	st.mesh = m
	primary, _ := m.Primary()
	if _, taken := st.clusters[primary.Name]; taken && primary.Name != unnamedPrimary {
		return nil, usage("the name %q is the primary's own: give the other cluster another one with NAME=CONTEXT", primary.Name)
	}
	st.snapshot = plan.Rename(st.snapshot, primary.Name)
	if c := st.clusters[unnamedPrimary]; c != nil && primary.Name != unnamedPrimary {
		c.Name = primary.Name
		st.clusters[primary.Name] = c
		delete(st.clusters, unnamedPrimary)
	}
	st.primaryKey = primary.Name
	return recorded, nil
}

// names are those of the mesh's clusters, the primary's first.
func names(m mesh.Mesh) []string {
	var names []string
	for _, c := range m.Clusters {
		names = append(names, c.Name)
	}
	return names
}
