// Package mesh is what is wanted: the clusters of one Istio mesh, their roles and networks. It is plain data and the
// rules that such data must obey; it knows no client and reads no cluster.
package mesh

import (
	"errors"
	"fmt"
)

// DefaultNamespace is where Istio lives unless the user says otherwise.
const DefaultNamespace = "istio-system"

// DefaultRevision is the name under which Istio's labels speak of the revision without a name.
const DefaultRevision = "default"

// UnnamedCluster is the cluster name that Istio takes when none is set (pilot/pkg/features, CLUSTER_ID). Two clusters
// that keep it are one cluster to istiod, so a mesh refuses it.
const UnnamedCluster = "Kubernetes"

// Role is the part that a cluster plays in the mesh.
type Role string

const (
	// Primary is a cluster with a control plane of its own.
	Primary Role = "primary"
	// Remote is a cluster without one: its proxies are served by a primary's.
	Remote Role = "remote"
)

// Mesh is the desired state of one mesh. Every command makes one before it does anything.
type Mesh struct {
	// ID is values.global.meshID; empty means: as the primary has it.
	ID string
	// Namespace is Istio's namespace, the same in every cluster.
	Namespace string
	// Revision is the control plane's revision; empty is the default one.
	Revision string
	// Unconnected is true where the user wants remotes although their networks can't be reached from others.
	Unconnected bool
	// Clusters are all clusters that the command is about, the primary first.
	Clusters []Cluster
}

// Cluster is one cluster of the mesh.
type Cluster struct {
	// Name is Istio's name of the cluster: CLUSTER_ID of its proxies and key of its remote secret.
	Name string
	// Named is true when the user chose the name, and false when it was made of the context's.
	Named bool
	// Context is the kubeconfig context through which the user reaches it.
	Context string
	// Role says whether it has a control plane.
	Role Role
	// Primary names the cluster whose control plane serves a remote; empty means the mesh's first primary.
	Primary string
	// Detached is true for a remote that is to leave the mesh: no control plane reads or serves it any more.
	Detached bool
	// Converted is true for a cluster that the user makes a primary although it is another primary's remote.
	Converted bool
	// Network is values.global.network; empty means: as the primary has it, or none.
	Network string
	// Server overrides the API server's address that the primary is given for it; empty means the kubeconfig's.
	Server string
	// Gateway is the address by which the user says that its gateway is reached; empty means the load balancer's.
	Gateway string
}

// RevisionLabel is the value of the label istio.io/rev for the mesh's revision.
func (m Mesh) RevisionLabel() string {
	if m.Revision == "" {
		return DefaultRevision
	}
	return m.Revision
}

// ValidateNames returns what is wrong with the names that hold for all clusters, and are known before any is looked at.
func (m Mesh) ValidateNames() error {
	return errors.Join(ValidateNamespace(m.Namespace), ValidateRevision(m.Revision))
}

// Validate returns every rule that the mesh breaks, joined: names that are not valid or not unique.
func (m Mesh) Validate() error {
	var broken []error
	if err := ValidateRevision(m.Revision); err != nil {
		broken = append(broken, err)
	}
	names := map[string]string{}
	for _, c := range m.Clusters {
		if c.Name == "" && c.Role == Primary {
			broken = append(broken, fmt.Errorf("context %q has nothing that a cluster's name can be made of: give one with --cluster-name", c.Context))
		} else if err := ValidateClusterName(c.Name); err != nil {
			broken = append(broken, err)
		} else if other, taken := names[c.Name]; taken {
			broken = append(broken, fmt.Errorf(
				"contexts %q and %q would both be cluster %q: give one another name with NAME=CONTEXT", other, c.Context, c.Name))
		} else {
			names[c.Name] = c.Context
		}
		if _, found := m.PrimaryOf(c); c.Primary != "" && !found {
			broken = append(broken, fmt.Errorf("cluster %q is to be served by %q, which is no primary of the mesh", c.Name, c.Primary))
		}
		if err := ValidateNetwork(c.Network); err != nil {
			broken = append(broken, fmt.Errorf("cluster %q: %w", c.Name, err))
		}
	}
	return errors.Join(broken...)
}
