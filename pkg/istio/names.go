// Package istio is all Istio-specific code: its charts and profiles, its debug endpoints, its remote secrets, and what its
// parts are recognised by. A new Istio release touches this package and those below it, and no other.
package istio

// Labels and annotations that Istio's parts, and the tools that install them, are recognised by.
const (
	clusterNameAnnotation  = "networking.istio.io/cluster"
	gatewayLabel           = "istio"
	eastWestGatewayValue   = "eastwestgateway"
	owningResourceLabel    = "install.operator.istio.io/owning-resource"
	owningResourceNSLabel  = "install.operator.istio.io/owning-resource-namespace"
	notPrunedLabel         = "install.operator.istio.io/owning-resource-not-pruned"
	operatorManagedLabel   = "operator.istio.io/managed"
	operatorComponentLabel = "operator.istio.io/component"
	operatorVersionLabel   = "operator.istio.io/version"
	primaryOwner           = "primary"
	remoteProfile          = "remote"
	applySetLabel          = "applyset.kubernetes.io/part-of"
	helmReleaseAnnotation  = "meta.helm.sh/release-name"
	argoTrackingAnnotation = "argocd.argoproj.io/tracking-id"
	fluxKustomizationLabel = "kustomize.toolkit.fluxcd.io/name"
	fluxHelmReleaseLabel   = "helm.toolkit.fluxcd.io/name"
	injectLabel            = "sidecar.istio.io/inject"
	gatewayPortLabel       = "networking.istio.io/gatewayPort"
	gatewayNameLabel       = "gateway.networking.k8s.io/gateway-name"
	defaultValidator       = "istiod-default-validator"
	baseComponent          = "Base"
	proxyContainer         = "istio-proxy"
	proxyClusterIDVariable = "ISTIO_META_CLUSTER_ID"
)
