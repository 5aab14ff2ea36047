package snapshot

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// ControlPlane is one istiod Deployment with the settings that a multicluster mesh stands on.
type ControlPlane struct {
	Name string `json:"name"`
	// Revision is the label istio.io/rev, "default" for the one without a name.
	Revision string `json:"revision"`
	// Version is the tag of its image.
	Version string `json:"version"`
	// Hub is where its image comes from.
	Hub string `json:"hub"`
	// ClusterID is CLUSTER_ID.
	ClusterID string `json:"clusterID"`
	// ClusterName is the name of the values with which it was installed.
	ClusterName string `json:"clusterName,omitempty"`
	// ExternalIstiod is EXTERNAL_ISTIOD: may manage remote clusters.
	ExternalIstiod bool `json:"externalIstiod"`
	// CustomHosts is ISTIOD_CUSTOM_HOST: further names that its certificate is for.
	CustomHosts []string `json:"customHosts,omitempty"`
	// MeshID, Network: from the values with which it was installed.
	MeshID  string `json:"meshID,omitempty"`
	Network string `json:"network,omitempty"`
	// ConfigMap is the one with the mesh configuration.
	ConfigMap string `json:"configMap,omitempty"`
	// TrustDomain is the mesh configuration's.
	TrustDomain string `json:"trustDomain,omitempty"`
	// RootNamespace is the one whose policies bind all namespaces; empty for Istio's.
	RootNamespace string `json:"rootNamespace,omitempty"`
	// DiscoverySelectors are those of the mesh configuration.
	DiscoverySelectors DiscoverySelectors `json:"discoverySelectors,omitempty"`
	// MeshNetworks is its list of networks, in YAML; GatewayNetworks are those of them that have a gateway there.
	MeshNetworks    string   `json:"meshNetworks,omitempty"`
	GatewayNetworks []string `json:"gatewayNetworks,omitempty"`
	// InstalledBy is who wrote it: kubectl-mesh, istioctl, helm, argocd, flux, or empty when nothing tells.
	InstalledBy string `json:"installedBy,omitempty"`
	// Rendered is true for one that kubectl-mesh rendered, whoever applied it.
	Rendered bool `json:"rendered,omitempty"`
	// Ready and Desired count replicas.
	Ready   int `json:"ready"`
	Desired int `json:"desired"`
	// Replicas is what each running istiod says of the clusters that it watches.
	Replicas []Replica `json:"replicas,omitempty"`
}

// Replica is one istiod pod's own view (debug/clusterz).
type Replica struct {
	Pod string `json:"pod"`
	// Version is the tag of its image.
	Version  string         `json:"version,omitempty"`
	Clusters []SyncedRemote `json:"clusters,omitempty"`
	// Proxies are those that it serves.
	Proxies []Proxy `json:"proxies,omitempty"`
	// Error says why the replica could not be asked.
	Error string `json:"error,omitempty"`
}

// SyncedRemote is one line of debug/clusterz.
type SyncedRemote struct {
	ID string `json:"id"`
	// Secret is namespace/name of the remote secret.
	Secret string `json:"secret"`
	// Status is istiod's word: synced, syncing, timeout, closed.
	Status string `json:"status"`
}

// Proxy is one that an istiod replica serves (debug/syncz).
type Proxy struct {
	// ID is POD.NAMESPACE.
	ID      string `json:"id"`
	Cluster string `json:"cluster"`
	// Version is the proxy's Istio release.
	Version string `json:"version,omitempty"`
	// Rejected is what the proxy said when it refused a configuration last.
	Rejected string `json:"rejected,omitempty"`
}

// Three of istiod's words.
const (
	// Synced: it has read the cluster.
	Synced = "synced"
	// Closed: it has permanently stopped watching it.
	Closed = "closed"
	// TimedOut: it could not read it in time, and goes on trying.
	TimedOut = "timeout"
)

// Ours is true for a control plane that kubectl-mesh installed.
func (p ControlPlane) Ours() bool { return p.InstalledBy == wellknown.FieldManager }

// ControlPlane returns the control plane of a revision, given as in the label istio.io/rev.
func (c *Cluster) ControlPlane(revision string) (ControlPlane, bool) {
	for _, cp := range c.ControlPlanes {
		if cp.Revision == revision {
			return cp, true
		}
	}
	return ControlPlane{}, false
}
