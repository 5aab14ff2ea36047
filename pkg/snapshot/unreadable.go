package snapshot

import "slices"

// Unreadable is a part of a cluster that could not be looked at.
type Unreadable struct {
	// What names the part, such as "secrets".
	What string `json:"what"`
	// Reason is the API server's or the network's own error.
	Reason string `json:"reason"`
	// TimedOut is true when nobody answered in time: who asks again, waits again.
	TimedOut bool `json:"timedOut,omitempty"`
	// Answered is true when the reason is the API server's own: its refusal, or a certificate that is not trusted.
	Answered bool `json:"answered,omitempty"`
}

// What an Unreadable can be about. APIServer stands for all of them: the API server itself could not be reached.
const (
	APIServer            = "API server"
	Identity             = "identity"
	KubernetesVersion    = "version"
	CertificateAuthority = "certificate authority"
	IstioNamespace       = "namespace"
	ControlPlanes        = "control planes"
	Injectors            = "injectors"
	Gateways             = "gateways"
	IstiodServices       = "istiod services"
	ExposedIstiods       = "exposed istiods"
	PassthroughPart      = "gateways between networks"
	NetworkGatewaysPart  = "gateways in other namespaces"
	RemoteSecretsPart    = "remote secrets"
	InventoryPart        = "inventory"
	RootCertificate      = "root certificate"
	Nodes                = "nodes"
	Permissions          = "permissions"
	RootCertificates     = "root certificates"
	InjectedNamespaces   = "injected namespaces"
	ReaderTokenPart      = "reader token"
	StraySecretsPart     = "stray secrets"
	InstalledValues      = "installed values"
	AmbientPart          = "ambient"
	UninjectedPods       = "gateway pods"
	InjectionPart        = "injection"
	LoadBalancersPart    = "load balancers"
	PodSecurityPart      = "pod security"
	PoliciesPart         = "authorization policies"
	GatewayPortsPart     = "gateway ports"
)

// Answers is true unless nobody answered for the API server; a refusal is an answer, too.
func (c *Cluster) Answers() bool {
	return !slices.ContainsFunc(c.Unreadable, func(u Unreadable) bool { return u.What == APIServer && !u.Answered })
}

// CouldNotRead returns why a part of the cluster could not be looked at, or false when it could.
func (c *Cluster) CouldNotRead(what string) (string, bool) {
	for _, u := range c.Unreadable {
		if u.What == what {
			return u.Reason, true
		}
	}
	return "", false
}
