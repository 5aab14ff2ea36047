// Package wellknown has the names, labels, annotations and ports by which Istio's parts and kubectl-mesh find each other. It is
// constants and a few pure functions, so that what plans and judges can use it without linking Istio; a test in pkg/istio
// compares labels and names with Istio's own.
package wellknown

import "strings"

// Names of objects.
const (
	// Istiod is the name of istiod's Deployment and Service, with -REVISION for a revision (manifests/charts/istio-control).
	Istiod = "istiod"
	// EastWestGateway is the name of the gateway that other clusters come in by (samples/multicluster/gen-eastwest-gateway.sh).
	EastWestGateway = "istio-eastwestgateway"
	// ReaderServiceAccount is the account through which istiod reads a remote cluster (manifests/charts/base).
	ReaderServiceAccount = "istio-reader-service-account"
	// ReaderTokenSecret holds that account's token (istioctl/pkg/multicluster/remote_secret.go, tokenSecretName).
	ReaderTokenSecret = ReaderServiceAccount + "-istio-remote-secret-token"
	// RemoteSecretPrefix begins the names of the remote secrets that istioctl and kubectl-mesh write.
	RemoteSecretPrefix = "istio-remote-secret-"
	// RootCertConfigMap is where istiod puts the mesh's root certificate, in every namespace.
	RootCertConfigMap = "istio-ca-root-cert"
	// CASecret is the Secret with the root that istiod made for itself (security/pkg/pki/ca).
	CASecret = "istio-ca-secret"
	// InjectorConfigMap has the values and templates that the injector uses, with -REVISION for a revision.
	InjectorConfigMap = "istio-sidecar-injector"
	// MeshConfigMap has the mesh configuration, with -REVISION for a revision.
	MeshConfigMap = "istio"
	// ExposeGateway is the Gateway through which istiod is published (samples/multicluster/expose-istiod.yaml).
	ExposeGateway = "istiod-gateway"
	// ExposeVirtualService is the VirtualService beside it, with -REVISION for a revision.
	ExposeVirtualService = "istiod-vs"
)

// The ports of an east-west gateway and of istiod.
const (
	PortStatus  = 15021
	PortTLS     = 15443
	PortXDS     = 15012
	PortWebhook = 15017
)

// Labels and annotations as Istio's API spells them (istio.io/api/label, istio.io/api/annotation).
const (
	NetworkLabel                   = "topology.istio.io/network"
	RevisionLabel                  = "istio.io/rev"
	TagLabel                       = "istio.io/tag"
	ControlPlaneClustersAnnotation = "topology.istio.io/controlPlaneClusters"
)

// Selectors of Istio's parts.
const (
	InjectorSelector        = "app=sidecar-injector"
	IstiodSelector          = "app=" + Istiod
	EastWestGatewaySelector = "istio=eastwestgateway"
	ZtunnelSelector         = "app=ztunnel"
	RemoteSecretSelector    = "istio/multiCluster=true"
)

// Parts of istiod's and the gateways' Deployments.
const (
	// PlaceholderImage is what a gateway's Deployment has in place of an image, for the injector to fill in.
	PlaceholderImage = "auto"
	// ExternalIstiodVariable is istiod's setting that lets it manage remote clusters.
	ExternalIstiodVariable = "EXTERNAL_ISTIOD"
	// ClusterIDVariable is istiod's setting with the name of its own cluster.
	ClusterIDVariable = "CLUSTER_ID"
)

// FieldManager is kubectl-mesh's in server-side apply.
const FieldManager = "kubectl-mesh"

// AddressAnnotation is where expose-istiod keeps, on the gateway's Service, an address that the user gave with
// --address, so that later commands find it without being told again.
const AddressAnnotation = "kubectl-mesh.github.io/address"

// UserAnnotations is where expose-istiod keeps the names of the annotations that the user gave with
// --gateway-annotation, so that running it again without the flag leaves them.
const UserAnnotations = "kubectl-mesh.github.io/gateway-annotations"

// valuesConfigMap has the values that Istio was installed with, with -REVISION for a revision.
const valuesConfigMap = "values"

// ValuesOf tells of which revision, as in the label istio.io/rev, a ConfigMap has the values that Istio was installed
// with; false when it is another ConfigMap.
func ValuesOf(configMap string) (revision string, is bool) {
	if configMap == valuesConfigMap {
		return "default", true
	}
	return strings.CutPrefix(configMap, valuesConfigMap+"-")
}

// Revisioned returns a name as Istio gives it to the objects of a revision: NAME or NAME-REVISION.
func Revisioned(name, revision string) string {
	if revision == "" {
		return name
	}
	return name + "-" + revision
}

// EastWestGatewayLabels are those by which policies can mean the gateway's pods.
func EastWestGatewayLabels() map[string]string {
	return map[string]string{"istio": "eastwestgateway", "app": EastWestGateway}
}
