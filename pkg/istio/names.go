// Package istio is all Istio-specific code: its charts and profiles, the names, labels and ports that its parts
// use, its debug endpoints and its remote secrets. A new Istio release touches this package and no other.
package istio

import (
	"strings"

	"istio.io/istio/pkg/kube/multicluster"
)

const (
	// EastWestGateway is the name of the gateway that other clusters come in by (samples/multicluster/gen-eastwest-gateway.sh).
	EastWestGateway = "istio-eastwestgateway"
	// ReaderServiceAccount is the account through which istiod reads a remote cluster (manifests/charts/base).
	ReaderServiceAccount = "istio-reader-service-account"
	// ReaderTokenSecret holds that account's token (istioctl/pkg/multicluster/remote_secret.go, tokenSecretName).
	ReaderTokenSecret = ReaderServiceAccount + "-istio-remote-secret-token"
	// RootCertConfigMap is where istiod puts the mesh's root certificate, in every namespace.
	RootCertConfigMap = "istio-ca-root-cert"
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

// Labels and annotations that Istio's parts find each other by.
const (
	remoteSecretPrefix      = "istio-remote-secret-"
	clusterNameAnnotation   = "networking.istio.io/cluster"
	gatewayLabel            = "istio"
	eastWestGatewayValue    = "eastwestgateway"
	InjectorSelector        = "app=sidecar-injector"
	IstiodSelector          = "app=istiod"
	EastWestGatewaySelector = gatewayLabel + "=" + eastWestGatewayValue
	owningResourceLabel     = "install.operator.istio.io/owning-resource"
	owningResourceNSLabel   = "install.operator.istio.io/owning-resource-namespace"
	notPrunedLabel          = "install.operator.istio.io/owning-resource-not-pruned"
	operatorManagedLabel    = "operator.istio.io/managed"
	operatorComponentLabel  = "operator.istio.io/component"
	operatorVersionLabel    = "operator.istio.io/version"
	primaryOwner            = "primary"
	remoteProfile           = "remote"
	applySetLabel           = "applyset.kubernetes.io/part-of"
	helmReleaseAnnotation   = "meta.helm.sh/release-name"
	argoTrackingAnnotation  = "argocd.argoproj.io/tracking-id"
	fluxKustomizationLabel  = "kustomize.toolkit.fluxcd.io/name"
	fluxHelmReleaseLabel    = "helm.toolkit.fluxcd.io/name"
	injectLabel             = "sidecar.istio.io/inject"
	defaultValidator        = "istiod-default-validator"
	baseComponent           = "Base"
	ZtunnelSelector         = "app=ztunnel"
	PlaceholderImage        = "auto"
	valuesConfigMap         = "values"
	proxyContainer          = "istio-proxy"
	proxyClusterIDVariable  = "ISTIO_META_CLUSTER_ID"
	ExternalIstiodVariable  = "EXTERNAL_ISTIOD"
	ClusterIDVariable       = "CLUSTER_ID"
)

// Labels and annotations as Istio's API spells them (istio.io/api/label, istio.io/api/annotation); a test holds them
// together.
const (
	NetworkLabel                   = "topology.istio.io/network"
	gatewayPortLabel               = "networking.istio.io/gatewayPort"
	gatewayNameLabel               = "gateway.networking.k8s.io/gateway-name"
	RevisionLabel                  = "istio.io/rev"
	TagLabel                       = "istio.io/tag"
	ControlPlaneClustersAnnotation = "topology.istio.io/controlPlaneClusters"
	RemoteSecretSelector           = multicluster.MultiClusterSecretLabel + "=true"
)

// AddressAnnotation is where expose-istiod keeps, on the gateway's Service, an address that the user gave with
// --address, so that later commands find it without being told again.
const AddressAnnotation = "kubectl-mesh.github.io/address"

// UserAnnotations is where expose-istiod keeps the names of the annotations that the user gave with
// --gateway-annotation, so that running it again without the flag leaves them.
const UserAnnotations = "kubectl-mesh.github.io/gateway-annotations"

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
	return map[string]string{gatewayLabel: eastWestGatewayValue, "app": EastWestGateway}
}
