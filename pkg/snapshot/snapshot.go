// Package snapshot is what was found in live clusters: plain data, with nothing judged, which can be written to a file and read
// back without loss. What could not be read is recorded with the reason, never as absent. No secret's private part enters
// it; where two must be compared, a fingerprint does.
package snapshot

// Snapshot is what was seen of every cluster, by the cluster's name in the mesh.
type Snapshot struct {
	Clusters map[string]*Cluster `json:"clusters"`
	// Primaries are contexts of clusters that were found to be primaries, by the primary's name. They are looked for where
	// the cluster that was to be the primary is another's remote.
	Primaries map[string]string `json:"primaries,omitempty"`
	// Traffic is what probes found; nil when none were sent.
	Traffic *Traffic `json:"traffic,omitempty"`
}
