package istio

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// Namespace makes Istio's namespace. The network becomes the label by which istiod knows where the cluster's pods
// live; controlPlaneClusters, if not empty, the annotation that lets the named primaries lead here.
func Namespace(name, network, controlPlaneClusters string) *corev1.Namespace {
	ns := &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	if network != "" {
		ns.Labels = map[string]string{wellknown.NetworkLabel: network}
	}
	if controlPlaneClusters != "" {
		ns.Annotations = map[string]string{wellknown.ControlPlaneClustersAnnotation: controlPlaneClusters}
	}
	return ns
}

// ExposeIstiod makes the Gateway and the VirtualService that publish istiod of a revision through the east-west
// gateway: samples/multicluster/expose-istiod.yaml, and expose-istiod-rev.yaml.tmpl for a named revision. TLS passes
// through to istiod, which asks for the caller's credentials. A webhook that is called by a URL names the host and no
// revision; those of a named revision therefore come in by a port of its own, if one is given, through a Gateway beside
// the one that all revisions share.
func ExposeIstiod(namespace, revision string, webhookPort int32) []*unstructured.Unstructured {
	host := fmt.Sprintf("%s.%s.svc.cluster.local", wellknown.Revisioned("istiod", revision), namespace)
	names := []any{"*"}
	if revision != "" {
		short := fmt.Sprintf("%s.%s.svc", wellknown.Revisioned("istiod", revision), namespace)
		names = []any{short, host}
	}
	server := func(name string, port int64) map[string]any {
		return map[string]any{
			"port":  map[string]any{"name": name, "number": port, "protocol": "tls"},
			"tls":   map[string]any{"mode": "PASSTHROUGH"},
			"hosts": []any{"*"},
		}
	}
	route := func(port, destination int64, names ...any) map[string]any {
		return map[string]any{
			"match": []any{map[string]any{"port": port, "sniHosts": names}},
			"route": []any{map[string]any{"destination": map[string]any{
				"host": host, "port": map[string]any{"number": destination},
			}}},
		}
	}
	gateway := networking("Gateway", namespace, wellknown.ExposeGateway, map[string]any{
		"selector": map[string]any{gatewayLabel: eastWestGatewayValue},
		"servers":  []any{server("tls-istiod", wellknown.PortXDS), server("tls-istiodwebhook", wellknown.PortWebhook)},
	})
	objects := []*unstructured.Unstructured{gateway}
	gateways, routes := []any{wellknown.ExposeGateway}, []any{route(wellknown.PortXDS, wellknown.PortXDS, names...), route(wellknown.PortWebhook, 443, names...)}
	if webhookPort != 0 {
		own := wellknown.Revisioned(wellknown.ExposeGateway, revision)
		objects = append(objects, networking("Gateway", namespace, own, map[string]any{
			"selector": map[string]any{gatewayLabel: eastWestGatewayValue},
			"servers":  []any{server("tls-istiodwebhook", int64(webhookPort))},
		}))
		gateways, routes = append(gateways, own), append(routes, route(int64(webhookPort), 443, "*"))
	}
	return append(objects, networking("VirtualService", namespace, wellknown.Revisioned(wellknown.ExposeVirtualService, revision), map[string]any{
		"hosts": []any{"*"}, "gateways": gateways, "tls": routes,
	}))
}

func networking(kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1",
		"kind":       kind,
		"metadata":   map[string]any{"name": name, "namespace": namespace},
		"spec":       spec,
	}}
}

// Unstructured turns a typed object into what is applied. The empty fields that the Go types always write, such as
// status and creationTimestamp, are left out, so that nobody comes to own them.
func Unstructured(object runtime.Object) (*unstructured.Unstructured, error) {
	return toUnstructured(object)
}

func toUnstructured(object any) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("converting %T: %w", object, err)
	}
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	if spec, found, err := unstructured.NestedMap(content, "spec"); err == nil && found && len(spec) == 0 {
		delete(content, "spec")
	}
	return &unstructured.Unstructured{Object: content}, nil
}

// AllowAll makes a policy by which everything in a namespace may be called by everybody, whatever the mesh's own
// default is.
func AllowAll(namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "security.istio.io/v1",
		"kind":       "AuthorizationPolicy",
		"metadata":   map[string]any{"name": name, "namespace": namespace},
		"spec":       map[string]any{"action": "ALLOW", "rules": []any{map[string]any{}}},
	}}
}
