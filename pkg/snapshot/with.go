package snapshot

import (
	"maps"
	"slices"
)

// A snapshot does not change once it is made: what is found later, or is left out, makes another one.

// With is the snapshot with a cluster of that name, in the place of the one that it has.
func (s *Snapshot) With(name string, c *Cluster) *Snapshot {
	other := *s
	other.Clusters = maps.Clone(s.Clusters)
	if other.Clusters == nil {
		other.Clusters = map[string]*Cluster{}
	}
	other.Clusters[name] = c
	return &other
}

// Without is the snapshot without the clusters of these names.
func (s *Snapshot) Without(names ...string) *Snapshot {
	other := *s
	other.Clusters = maps.Clone(s.Clusters)
	for _, name := range names {
		delete(other.Clusters, name)
	}
	return &other
}

// Renamed is the snapshot with clusters under other names, by those that they have. Two may have changed theirs for one another's.
func (s *Snapshot) Renamed(names map[string]string) *Snapshot {
	other := s.Without(slices.Collect(maps.Keys(names))...)
	for was, is := range names {
		if c := s.Clusters[was]; c != nil {
			renamed := c.Clone()
			renamed.Name = is
			other.Clusters[is] = renamed
		}
	}
	return other
}

// WithPrimaries is the snapshot with the contexts of clusters that were found to be primaries, by the primary's name.
func (s *Snapshot) WithPrimaries(contexts map[string]string) *Snapshot {
	other := *s
	other.Primaries = contexts
	return &other
}

// WithTraffic is the snapshot with what probes found.
func (s *Snapshot) WithTraffic(t *Traffic) *Snapshot {
	other := *s
	other.Traffic = t
	return &other
}

// Clone is a copy of which every field can be set and every list be appended to, without a change to the cluster. What lists
// and fields lead to is shared, but for remote secrets.
func (c *Cluster) Clone() *Cluster {
	clone := *c
	clone.RemoteSecrets = slices.Clone(c.RemoteSecrets)
	clone.Unreadable = slices.Clip(c.Unreadable)
	clone.Ports = slices.Clip(c.Ports)
	clone.GatewayPolicies = slices.Clip(c.GatewayPolicies)
	clone.Analysis = slices.Clip(c.Analysis)
	return &clone
}
