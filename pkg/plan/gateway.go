package plan

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addGateway installs a primary's east-west gateway and publishes istiod through it.
func (b *builder) addGateway(c mesh.Cluster) {
	was, _ := b.seen(c.Name).Gateway(wellknown.EastWestGateway)
	wanted := b.options.Gateway
	action := ApplyGateway{
		Revision: b.gatewayRevision(c, was), Network: c.Network, SourceRanges: wanted.SourceRanges, Annotations: wanted.Annotations, Address: wanted.Address,
		WebhookPorts: was.WebhookPorts, Port443: keepsPort443(b.seen(c.Name), was),
	}
	// What the user chose in an earlier run stays: leaving a flag out must not open a gateway that was closed.
	if action.SourceRanges == nil {
		action.SourceRanges = was.SourceRanges
	}
	if action.Annotations == nil {
		action.Annotations = was.Annotations
	}
	if action.Address == "" && was.Override {
		action.Address = was.Address
	}

	// A primary that another tool installed may lack the label, by which istiod knows the network of its gateway.
	if has := b.seen(c.Name).Namespace; has != nil && has.Network != c.Network && c.Network != "" {
		b.add(ExposeIstiod, c.Name, "network", "Label namespace "+b.mesh.Namespace+" with its network", ApplyNamespace{Network: c.Network})
	}
	// The gateway's image is "auto", which only the injector can fill in.
	injection := b.addAlways(ExposeIstiod, c.Name, "gateway-injection", "Check that sidecars are injected",
		AwaitInjection{Cluster: c.Name}, c.Name+"/injection")
	gateway := b.add(ExposeIstiod, c.Name, "gateway", "Install the east-west gateway", action, injection)
	exposure := b.add(ExposeIstiod, c.Name, "exposure", "Publish istiod through the gateway",
		ApplyExposure{WebhookPort: was.WebhookPorts[b.mesh.Revision]}, injection)
	address := b.add(ExposeIstiod, c.Name, "address", "Wait for the gateway's address", AwaitAddress{}, gateway)
	b.addHostname(c, action, address, exposure)
	b.add(ExposeIstiod, c.Name, "gateway-ready", "Wait for the gateway", AwaitDeployment{Name: wellknown.EastWestGateway, Discovery: b.discovery(c)}, gateway)
}

// gatewayRevision is the mesh's, unless the gateway is there already for another one that still runs: it serves all.
func (b *builder) gatewayRevision(c mesh.Cluster, was snapshot.Gateway) string {
	if _, runs := b.seen(c.Name).ControlPlane(was.Revision); !runs || was.Revision == "" {
		return b.mesh.Revision
	}
	if was.Revision == mesh.DefaultRevision {
		return ""
	}
	return was.Revision
}
