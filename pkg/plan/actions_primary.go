package plan

import "github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"

// ApplyNamespace makes Istio's namespace with its labels and annotation. Remotes get one, too.
type ApplyNamespace struct{ Network, ControlPlaneClusters string }

func (ApplyNamespace) describe() description { return writes() }

// ApplyControlPlane installs istiod.
type ApplyControlPlane struct {
	Cluster, MeshID, Network, Profile string
	DefaultTag                        bool
	// CustomHosts are further names for istiod's certificate, with commas between them.
	CustomHosts string
}

func (ApplyControlPlane) describe() description { return writes() }

// DropRemoteProfile takes away what made a cluster another primary's remote and what installing a control plane would
// leave in place: the annotation, EndpointSlices that lead istiod's Service out of the cluster, and the records of
// attach-remote.
type DropRemoteProfile struct{ Slices []string }

func (DropRemoteProfile) describe() description { return writes() }

// RestartIstiod restarts the primary's istiod.
type RestartIstiod struct{}

func (RestartIstiod) describe() description { return writes() }

// AwaitDeployment waits until a Deployment is rolled out.
type AwaitDeployment struct {
	Name string
	// Discovery are the mesh's selectors, for pods that need what istiod writes into the namespaces that it looks at.
	Discovery snapshot.DiscoverySelectors
}

func (AwaitDeployment) describe() description { return waits() }

// AwaitRestarted waits until an istiod whose Deployment was changed is rolled out, and one that runs leads.
type AwaitRestarted struct{ Name string }

func (AwaitRestarted) describe() description { return waits() }

// AwaitInjection waits until a pod, created in a server-side dry run, gets a sidecar of this cluster.
type AwaitInjection struct{ Cluster string }

func (AwaitInjection) describe() description { return waits() }
