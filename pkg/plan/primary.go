package plan

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// addPrimary installs a control plane.
func (b *builder) addPrimary(c mesh.Cluster) {
	namespace := b.add(InstallPrimary, c.Name, "namespace", "Create namespace "+b.mesh.Namespace,
		ApplyNamespace{Network: c.Network})
	before := []string{namespace}
	if c.Converted {
		var slices []string
		for _, service := range b.seen(c.Name).IstiodServices {
			slices = append(slices, service.Written...)
		}
		before = append(before, b.add(ConvertRemote, c.Name, "no-remote", "Take away what made it a remote", DropRemoteProfile{Slices: slices}, namespace))
	}
	controlPlane := b.add(InstallPrimary, c.Name, "control-plane", "Install the control plane",
		ApplyControlPlane{
			Cluster: c.Name, MeshID: b.mesh.ID, Network: c.Network, Profile: b.options.Profile,
			DefaultTag: b.ownsDefaultTag(c.Name), CustomHosts: b.customHosts(c),
		}, before...)
	ready := b.add(InstallPrimary, c.Name, "istiod", "Wait for istiod",
		AwaitDeployment{Name: b.revisioned(wellknown.Istiod)}, controlPlane)
	b.add(InstallPrimary, c.Name, "injection", "Wait until sidecars are injected",
		AwaitInjection{Cluster: c.Name}, ready)
}
