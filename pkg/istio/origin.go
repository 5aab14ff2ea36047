package istio

import (
	"cmp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// RemoteInventory is the ConfigMap that records, in a remote of any revision, the part that revisions share of the account
// through which istiod reads it.
const RemoteInventory = wellknown.FieldManager + "-reader-shared"

// InstalledBy tells which tool wrote an object, from the traces that each leaves: kubectl-mesh, argocd, flux, helm,
// istioctl, or empty.
func InstalledBy(object metav1.Object) string {
	labels, annotations := object.GetLabels(), object.GetAnnotations()
	managers := map[string]bool{}
	for _, field := range object.GetManagedFields() {
		managers[field.Manager] = true
	}
	switch {
	case annotations[argoTrackingAnnotation] != "":
		return "argocd"
	case labels[fluxKustomizationLabel] != "" || labels[fluxHelmReleaseLabel] != "":
		return "flux"
	case annotations[helmReleaseAnnotation] != "":
		return "helm"
	case managers[wellknown.FieldManager]:
		return wellknown.FieldManager
	case managers["istio-operator"] || labels[operatorManagedLabel] != "":
		return "istioctl"
	}
	return ""
}

// Rendered is true for an object of a primary that this project rendered, whoever applied it: a GitOps tool's marks of
// its own do not hide that the files which it applies are ours.
func Rendered(object metav1.Object) bool {
	labels := object.GetLabels()
	ours := strings.HasPrefix(labels[owningResourceLabel], primaryOwner) // with -REVISION for a revision
	return ours && labels[applySetLabel] != ""
}

// AddressOf is where others reach a gateway: the user's own word, else the load balancer's IPv4 address, else its hostname,
// else its IPv6 address, which Istio's charts for remotes do not take. Empty while it has none. override is true for the
// user's.
func AddressOf(service *corev1.Service) (address string, override bool) {
	if given := service.Annotations[wellknown.AddressAnnotation]; given != "" {
		return given, true
	}
	hostname, other := "", ""
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if facts.IsIPv4(ingress.IP) {
			return ingress.IP, false
		}
		hostname, other = cmp.Or(hostname, ingress.Hostname), cmp.Or(other, ingress.IP)
	}
	return cmp.Or(hostname, other), false
}

// IsGateway is true for an east-west gateway's Service, by its label or by that of the network which it leads to.
func IsGateway(service *corev1.Service) bool {
	return service.Labels[gatewayLabel] == eastWestGatewayValue || service.Labels[wellknown.NetworkLabel] != ""
}

// CrossNetworkPort is the port of a gateway's Service at which services are published to other networks: 15443, unless a label
// says otherwise (istio/istio: pilot/pkg/serviceregistry/kube/controller/network.go).
func CrossNetworkPort(service *corev1.Service) int32 {
	if port, err := strconv.ParseInt(service.Labels[gatewayPortLabel], 10, 32); err == nil {
		return int32(port)
	}
	return wellknown.PortTLS
}

// IsKubernetesGateway is true for the Service that Istio makes of a Gateway of Kubernetes' Gateway API.
func IsKubernetesGateway(service *corev1.Service) bool {
	return service.Labels[gatewayNameLabel] != ""
}

// Passthrough is true for a Gateway that publishes services to other networks: a server on port 15443 with tls mode
// AUTO_PASSTHROUGH (samples/multicluster/expose-services.yaml). selector are the labels of the pods that it is for.
func Passthrough(gateway *unstructured.Unstructured) (selector map[string]string, is bool) {
	servers, _, _ := unstructured.NestedSlice(gateway.Object, "spec", "servers")
	for _, server := range servers {
		s, ok := server.(map[string]any)
		if !ok {
			continue
		}
		mode, _, _ := unstructured.NestedString(s, "tls", "mode")
		port, _, _ := unstructured.NestedInt64(s, "port", "number")
		is = is || mode == "AUTO_PASSTHROUGH" && port == wellknown.PortTLS
	}
	selector, _, _ = unstructured.NestedStringMap(gateway.Object, "spec", "selector")
	return selector, is
}
