package plan

import (
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addRemote makes a cluster a remote that a primary's control plane serves, and reads.
func (b *builder) addRemote(primary, remote mesh.Cluster) {
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	gateway, _ := b.seen(primary.Name).Gateway(wellknown.EastWestGateway)
	apply := func(part RemotePart) ApplyRemote {
		return ApplyRemote{
			Part: part, MeshID: b.mesh.ID, Cluster: remote.Name, Network: remote.Network,
			Hub: plane.Hub, Version: plane.Version, Primary: primary.Name, DefaultTag: b.ownsDefaultTag(remote.Name),
			WebhookPort: gateway.WebhookPorts[b.mesh.Revision],
		}
	}

	// The annotation comes first: istiod decides once, when it is told of the cluster, whether it leads there.
	namespace := b.add(AttachRemote, remote.Name, "namespace", "Create namespace "+b.mesh.Namespace+" for primary "+primary.Name,
		ApplyNamespace{Network: remote.Network, ControlPlaneClusters: controlPlaneClusters(b.seen(remote.Name), primary.Name)})
	reader := b.add(AttachRemote, remote.Name, "reader", "Create the account that istiod reads through", apply(ReaderPart), namespace)
	crds := b.add(AttachRemote, remote.Name, "crds", "Install Istio's resource definitions", apply(CRDPart), namespace)
	profile := b.add(AttachRemote, remote.Name, "profile", "Install the remote profile", apply(ProfilePart),
		namespace, primary.Name+"/address")
	token := b.add(AttachRemote, remote.Name, "token", "Wait for the account's token", AwaitToken{}, reader)
	// An istiod that finds a definition which is not served yet tries again a second later, or two.
	served := b.add(AttachRemote, remote.Name, "served", "Wait until Istio's resources are served", AwaitServed{}, crds)
	synced := b.addCredentials(AttachRemote, primary, remote, []string{token, namespace}, token, served, namespace)
	bundle := b.add(AttachRemote, remote.Name, "ca-bundle", "Wait for istiod's certificate in the webhooks",
		AwaitCABundle{}, synced, profile)
	b.add(AttachRemote, remote.Name, "root-cert", "Wait for the mesh's root certificate", AwaitRootCert{Discovery: b.discovery(primary)}, synced)
	b.add(AttachRemote, remote.Name, "injection", "Wait until sidecars are injected", AwaitInjection{Cluster: remote.Name}, bundle)
}

// controlPlaneClusters is the remote's annotation with the primary in it. Others that are there already stay.
func controlPlaneClusters(seen *snapshot.Cluster, primary string) string {
	owners := facts.Owners(seen)
	if !facts.MayLead(seen, primary) {
		owners = append(owners, primary)
	}
	return strings.Join(owners, ",")
}
