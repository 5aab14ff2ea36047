package plan

import "github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"

// RemotePart is a part of what a remote cluster gets.
type RemotePart string

const (
	// ReaderPart is the account that istiod reads the cluster through, with its rights and its token.
	ReaderPart RemotePart = "reader"
	// CRDPart are Istio's custom resource definitions.
	CRDPart RemotePart = "crds"
	// ProfilePart is everything else: webhooks, and the Service by which istiod is found.
	ProfilePart RemotePart = "profile"
)

// ApplyRemote installs a part of the remote profile.
type ApplyRemote struct {
	Part                     RemotePart
	MeshID, Cluster, Network string
	// Hub and Version are the primary's.
	Hub, Version string
	// Primary is the cluster whose gateway's address is used.
	Primary    string
	DefaultTag bool
	// WebhookPort is where a hostname's injector is called; 0 is the port that all gateways have.
	WebhookPort int32
}

func (ApplyRemote) describe() description { return writes() }

// ApplyReaderToken gives the account by which other control planes read a primary a token.
type ApplyReaderToken struct{}

func (ApplyReaderToken) describe() description { return writes() }

// AwaitToken waits until the reader account's token is there.
type AwaitToken struct{}

func (AwaitToken) describe() description { return description{provides: true} }

// AwaitServed waits until the cluster serves those of Istio's resources that istiod reads there.
type AwaitServed struct{}

func (AwaitServed) describe() description { return waits() }

// AwaitCABundle waits until istiod has put its certificate into the cluster's injector webhooks.
type AwaitCABundle struct{}

func (AwaitCABundle) describe() description { return waits() }

// AwaitRootCert waits until istiod has written the mesh's root certificate into Istio's namespace.
type AwaitRootCert struct {
	// Discovery are the mesh's selectors: into a namespace that they don't select istiod never writes.
	Discovery snapshot.DiscoverySelectors
}

func (AwaitRootCert) describe() description { return waits() }
