package snapshot

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Cluster is what was seen of one cluster.
type Cluster struct {
	Name    string `json:"name"`
	Context string `json:"context"`
	// Server is the API server's address in the user's kubeconfig.
	Server string `json:"server"`
	// TLSServerName is the name under which the kubeconfig checks the API server's certificate, if it says one.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// Proxy is the proxy, as HOST:PORT, by which the kubeconfig has the API server called, if it names one.
	Proxy string `json:"proxy,omitempty"`
	// Untrusted says why the certificate that is shown at Server is not one of the cluster's own CA, empty where it is. It
	// is looked at where the kubeconfig checks it otherwise, or not at all.
	Untrusted string `json:"untrusted,omitempty"`
	// Secret is the primary's remote secret with whose credentials the cluster was read; empty where it was read with the
	// user's own. Server is the secret's then, and Context empty.
	Secret string `json:"secret,omitempty"`
	// Use is how those credentials failed; nil when they did not.
	Use *CredentialUse `json:"use,omitempty"`
	// UID is that of the namespace kube-system: the identity of a cluster, whatever its contexts are called.
	UID string `json:"uid,omitempty"`
	// CA is the fingerprint of the CA bundle that the cluster gives to its service accounts (kube-root-ca.crt).
	CA string `json:"ca,omitempty"`
	// KubernetesVersion is the API server's, such as v1.35.4.
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`
	// Namespace is Istio's; nil when it does not exist.
	Namespace *Namespace `json:"namespace,omitempty"`
	// ControlPlanes are the istiod Deployments, of every revision.
	ControlPlanes []ControlPlane `json:"controlPlanes,omitempty"`
	// Injectors are the webhook configurations that inject sidecars.
	Injectors []Injector `json:"injectors,omitempty"`
	// Gateways are the Services that carry the label istio=eastwestgateway, or that of a network.
	Gateways []Gateway `json:"gateways,omitempty"`
	// IstiodServices are the Services named istiod or istiod-REVISION.
	IstiodServices []IstiodService `json:"istiodServices,omitempty"`
	// NetworkGateways are those Services with the label of a network that are in other namespaces than Istio's.
	NetworkGateways []Gateway `json:"networkGateways,omitempty"`
	// Passthrough are the Gateways that publish services to other networks.
	Passthrough []Passthrough `json:"passthrough,omitempty"`
	// Exposed are the revisions whose istiod a VirtualService publishes through the east-west gateway.
	Exposed []string `json:"exposed,omitempty"`
	// RemoteSecrets are the credentials for other clusters that istiod finds in its namespace.
	RemoteSecrets []RemoteSecret `json:"remoteSecrets,omitempty"`
	// RootCert is the fingerprint of istio-ca-root-cert in Istio's namespace; empty when there is none.
	RootCert string `json:"rootCert,omitempty"`
	// RootWriter is the istiod pod that is to write istio-ca-root-cert into the cluster's namespaces: the one that holds the
	// lock there; empty where none does.
	RootWriter string `json:"rootWriter,omitempty"`
	// RootCerts are the fingerprints of istio-ca-root-cert, by namespace.
	RootCerts map[string]string `json:"rootCerts,omitempty"`
	// Injected are the namespaces that ask for sidecars.
	Injected []string `json:"injected,omitempty"`
	// InjectedLabels are their labels, by namespace.
	InjectedLabels map[string]map[string]string `json:"injectedLabels,omitempty"`
	// Services are the names of those in these namespaces, by namespace.
	Services map[string][]string `json:"services,omitempty"`
	// ServiceObjects are the same as they are, for Istio's analyzers, without what the API server notes of their fields.
	ServiceObjects []corev1.Service `json:"serviceObjects,omitempty"`
	// Headless are those among them, as NAMESPACE/NAME, that have no address of their own.
	Headless []string `json:"headless,omitempty"`
	// Inventory is the ConfigMap in which attach-remote records what it has applied to a remote; empty where there is none.
	Inventory string `json:"inventory,omitempty"`
	// ReaderToken is the token of the account that istiod reads the cluster through; nil when its Secret is not there.
	ReaderToken *ReaderToken `json:"readerToken,omitempty"`
	// StraySecrets are remote secrets, as NAMESPACE/NAME, in other namespaces than Istio's.
	StraySecrets []string `json:"straySecrets,omitempty"`
	// Installed is what Istio's parts were installed with, by revision as in the label istio.io/rev.
	Installed map[string]Installed `json:"installed,omitempty"`
	// Ambient is true when ztunnel runs.
	Ambient bool `json:"ambient,omitempty"`
	// UninjectedGateways are gateway pods that injection has passed by.
	UninjectedGateways []string `json:"uninjectedGateways,omitempty"`
	// PodRanges are the nodes' pod CIDRs.
	PodRanges []string `json:"podRanges,omitempty"`
	Evidence
	Obstacles
	// Nodes counts the nodes, ReadyNodes those that can run a pod.
	Nodes      int `json:"nodes"`
	ReadyNodes int `json:"readyNodes"`
	// Denied are the permissions that a command asked for and the user lacks.
	Denied []Permission `json:"denied,omitempty"`
	// Unreadable is what could not be looked at.
	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Installed is what Istio's charts were rendered with (ConfigMap values).
type Installed struct {
	MeshID        string `json:"meshID,omitempty"`
	Network       string `json:"network,omitempty"`
	IstiodAddress string `json:"istiodAddress,omitempty"`
}

// Namespace is Istio's namespace.
type Namespace struct {
	// Network is the label topology.istio.io/network.
	Network string `json:"network,omitempty"`
	// ControlPlaneClusters is the annotation topology.istio.io/controlPlaneClusters, as it stands.
	ControlPlaneClusters string `json:"controlPlaneClusters,omitempty"`
	// Labels are the namespace's.
	Labels map[string]string `json:"labels,omitempty"`
	// Terminating is true while the namespace is being deleted.
	Terminating bool `json:"terminating,omitempty"`
}

// Injector is a MutatingWebhookConfiguration that injects sidecars.
type Injector struct {
	Name string `json:"name"`
	// Revision is the label istio.io/rev: istiod of that revision patches its certificate.
	Revision string `json:"revision"`
	// Tag is the label istio.io/tag, if it stands for a revision tag.
	Tag string `json:"tag,omitempty"`
	// Paths are the injection paths of its webhooks, without repeats.
	Paths []string `json:"paths,omitempty"`
	// Hosts are where its webhooks are called by a URL, as HOST:PORT, without repeats; an empty string for one that is called
	// at a Service.
	Hosts []string `json:"hosts,omitempty"`
	// CABundles are the fingerprints of its webhooks' certificates, without repeats; an empty string for one that has none.
	CABundles []string `json:"caBundles,omitempty"`
}

// IstiodService is a Service under which proxies and the API server find istiod.
type IstiodService struct {
	Name string `json:"name"`
	// ExternalName is set when the Service is only a name for another host.
	ExternalName string `json:"externalName,omitempty"`
	// Addresses are those of its EndpointSlices.
	Addresses []string `json:"addresses,omitempty"`
	// Selector is true when the Service selects pods of its own cluster.
	Selector bool `json:"selector,omitempty"`
	// Written are the names of EndpointSlices that somebody has written, as attach-remote does; controllers make the others.
	Written []string `json:"written,omitempty"`
}

// Roots are the fingerprints of the root that a primary's istiod of a revision writes, as it has written it in its own
// cluster: one, unless revisions differ.
func (c *Cluster) Roots(revision string) []string {
	if c == nil {
		return nil
	}
	roots := []string{c.RootCert}
	for _, i := range c.Injectors {
		if i.Revision == revision {
			roots = append(roots, i.CABundles...)
		}
	}
	return slices.DeleteFunc(roots, func(root string) bool { return root == "" })
}

// InjectedNames are the names of clusters that injectors give pods, as those of remotes do.
func (c *Cluster) InjectedNames() []string {
	var names []string
	for _, i := range c.Injectors {
		for _, path := range i.Paths {
			if name := ClusterOfPath(path); name != "" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ClusterOfPath is NAME of the injection path /inject/cluster/NAME/net/NETWORK.
func ClusterOfPath(path string) string {
	_, rest, found := strings.Cut(path, "/cluster/")
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
