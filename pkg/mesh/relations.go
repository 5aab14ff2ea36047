package mesh

import "slices"

// A mesh stands on two relations between its control planes and its clusters. A control plane *reads* a cluster: it watches
// the API server there, with credentials that it was given. And it *serves* a cluster: proxies and webhooks there call it.
// Primary and remote are only what a cluster is called for having a control plane or none. Every control plane reads all
// clusters, since each must know every endpoint; a cluster without one is served by the primary that it names.

// Primaries are the clusters with a control plane, in the user's order.
func (m Mesh) Primaries() []Cluster { return m.withRole(Primary) }

// Remotes are the clusters without a control plane, in the user's order, but for those that are to leave the mesh.
func (m Mesh) Remotes() []Cluster { return m.withRole(Remote) }

// Leaving are the remotes that are to leave the mesh.
func (m Mesh) Leaving() []Cluster {
	return slices.DeleteFunc(slices.Clone(m.Clusters), func(c Cluster) bool { return !c.Detached })
}

func (m Mesh) withRole(role Role) []Cluster {
	return slices.DeleteFunc(slices.Clone(m.Clusters), func(c Cluster) bool { return c.Role != role || c.Detached })
}

// Primary returns the first cluster with a control plane, or false when the mesh has none.
func (m Mesh) Primary() (Cluster, bool) {
	for _, c := range m.Clusters {
		if c.Role == Primary {
			return c, true
		}
	}
	return Cluster{}, false
}

// PrimaryOf is the cluster whose control plane serves a cluster: a primary itself, and the one that a remote names, or the
// first where it names none. It is false where the mesh has no such primary.
func (m Mesh) PrimaryOf(c Cluster) (Cluster, bool) {
	switch {
	case c.Role == Primary:
		return c, true
	case c.Primary == "":
		return m.Primary()
	}
	for _, p := range m.Primaries() {
		if p.Name == c.Primary {
			return p, true
		}
	}
	return Cluster{}, false
}

// ServedBy are the remotes whose proxies and webhooks a primary's control plane serves.
func (m Mesh) ServedBy(primary Cluster) []Cluster {
	return slices.DeleteFunc(m.Remotes(), func(c Cluster) bool {
		p, found := m.PrimaryOf(c)
		return !found || p.Name != primary.Name
	})
}

// ReadBy are the clusters that a primary's control plane reads beside its own: all others.
func (m Mesh) ReadBy(primary Cluster) []Cluster {
	return slices.DeleteFunc(slices.Clone(m.Clusters), func(c Cluster) bool {
		return c.Detached || c.Role == Primary && c.Name == primary.Name
	})
}

// SeenFrom is the mesh as one control plane has to do with it: its own cluster first, and those that it reads. Remotes that
// named no primary name the first one of m, so that they stay whose they are.
func (m Mesh) SeenFrom(primary Cluster) Mesh {
	clusters := append([]Cluster{primary}, m.ReadBy(primary)...)
	for i, c := range clusters {
		if first, found := m.Primary(); found && c.Role == Remote && c.Primary == "" {
			clusters[i].Primary = first.Name
		}
	}
	m.Clusters = clusters
	return m
}

// Networks are the names of the clusters' networks, each once, in the user's order; pods of different ones reach each other
// through gateways only.
func (m Mesh) Networks() []string {
	var networks []string
	for _, c := range m.Clusters {
		if !c.Detached && !slices.Contains(networks, c.Network) {
			networks = append(networks, c.Network)
		}
	}
	return networks
}

// On are the clusters on a network.
func (m Mesh) On(network string) []Cluster {
	return slices.DeleteFunc(slices.Clone(m.Clusters), func(c Cluster) bool { return c.Detached || c.Network != network })
}
