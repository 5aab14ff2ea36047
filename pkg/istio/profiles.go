package istio

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// Primary is a control plane that may manage remote clusters.
type Primary struct {
	Namespace, Revision      string
	MeshID, Cluster, Network string
	// Profile is Istio's profile; empty means minimal: the control plane alone.
	Profile string
	// DefaultTag makes this revision the one that answers for istio-injection=enabled.
	DefaultTag bool
	// CustomHosts are added to the names that istiod's certificate is for, with commas between them.
	CustomHosts string
}

// Primary renders a control plane with EXTERNAL_ISTIOD, as the guide's first chapter installs it, with the tag
// webhook that istioctl adds afterwards (operator/pkg/webhook).
func (c Charts) Primary(p Primary) ([]*unstructured.Unstructured, error) {
	global := map[string]any{
		"meshID":       p.MeshID,
		"multiCluster": map[string]any{"clusterName": p.Cluster},
	}
	if p.Network != "" {
		global["network"] = p.Network
	}
	profile := p.Profile
	if profile == "" {
		profile = "minimal"
	}
	chartValues := map[string]any{
		"global": global,
		"pilot":  map[string]any{"env": map[string]any{wellknown.ExternalIstiodVariable: "true"}},
	}
	objects, err := c.render(overlay{
		name: wellknown.Revisioned(primaryOwner, p.Revision), namespace: p.Namespace, revision: p.Revision, profile: profile,
		spec: map[string]any{"values": withDefaultTag(chartValues, p.Revision, p.DefaultTag)},
	})
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if object.GetKind() == "Deployment" && object.GetName() == wellknown.Revisioned("istiod", p.Revision) {
			addCustomHosts(object, splitHosts(p.CustomHosts))
		}
	}
	return finishDefaultTag(objects, p.Revision, p.DefaultTag), nil
}

// RemoteCluster is the part of Istio that a cluster without a control plane needs.
type RemoteCluster struct {
	Namespace, Revision      string
	MeshID, Cluster, Network string
	// Address is where istiod is reached: the east-west gateway's IP or hostname.
	Address string
	// WebhookPort is where a hostname's injector is called; 0 is the port that all gateways have.
	WebhookPort int32
	// DefaultTag as in Primary.
	DefaultTag bool
}

// Remote renders the remote profile: CRDs, the reader account, the injector's webhook, and the Service under which
// istiod is found. The injection path carries the cluster's name and network, since istiod would otherwise give the
// pods its own. A hostname's injector is called by a URL.
func (c Charts) Remote(r RemoteCluster) ([]*unstructured.Unstructured, error) {
	path := "/inject/cluster/" + r.Cluster
	global := map[string]any{
		"meshID":             r.MeshID,
		"multiCluster":       map[string]any{"clusterName": r.Cluster},
		"remotePilotAddress": r.Address,
	}
	if r.Network != "" {
		path += "/net/" + r.Network
		global["network"] = r.Network
	}
	injector := map[string]any{"injectionPath": path}
	if r.Address != "" && !facts.IsIPv4(r.Address) {
		injector["injectionURL"] = injectionURL(r.Address, r.WebhookPort, path)
	}
	chartValues := map[string]any{"global": global, "istiodRemote": injector}
	objects, err := c.render(overlay{
		name: wellknown.Revisioned("remote", r.Revision), namespace: r.Namespace, revision: r.Revision, profile: remoteProfile,
		spec: map[string]any{"values": withDefaultTag(chartValues, r.Revision, r.DefaultTag)},
	})
	if err != nil {
		return nil, err
	}
	return finishDefaultTag(objects, r.Revision, r.DefaultTag), nil
}

// Gateway is an east-west gateway.
type Gateway struct {
	Namespace, Revision, Network string
	// SourceRanges restrict who may reach the load balancer, as CIDRs.
	SourceRanges []string
	// Annotations are set on the Service, such as a cloud's for an internal load balancer.
	Annotations map[string]string
	// Address is kept on the Service when the user gave it.
	Address string
	// WebhookPorts are those of named revisions, by revision, at which a hostname's injector is called.
	WebhookPorts map[string]int32
	// Port443 keeps the port that remotes called which an earlier release attached to a hostname.
	Port443 bool
}

// EastWest renders the gateway that samples/multicluster/gen-eastwest-gateway.sh describes.
func (c Charts) EastWest(g Gateway) ([]*unstructured.Unstructured, error) {
	port := func(name string, port, target int) map[string]any {
		return map[string]any{"name": name, "port": port, "targetPort": target}
	}
	ports := []any{
		port("status-port", wellknown.PortStatus, wellknown.PortStatus), port("tls", wellknown.PortTLS, wellknown.PortTLS),
		port("tls-istiod", wellknown.PortXDS, wellknown.PortXDS), port("tls-webhook", wellknown.PortWebhook, wellknown.PortWebhook),
	}
	for _, revision := range slices.Sorted(maps.Keys(g.WebhookPorts)) {
		number := int(g.WebhookPorts[revision])
		ports = append(ports, port(webhookPortPrefix+revision, number, number))
	}
	if g.Port443 {
		ports = append(ports, port(port443, 443, wellknown.PortWebhook))
	}
	labels := map[string]any{gatewayLabel: eastWestGatewayValue, "app": wellknown.EastWestGateway}
	settings := map[string]any{"service": map[string]any{"ports": ports}}
	chartValues := map[string]any{
		"gateways": map[string]any{"istio-ingressgateway": map[string]any{"injectionTemplate": "gateway"}},
	}
	if g.Network != "" {
		labels[wellknown.NetworkLabel] = g.Network
		settings["env"] = []any{map[string]any{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": g.Network}}
		chartValues["global"] = map[string]any{"network": g.Network}
	}
	objects, err := c.render(overlay{
		name: "eastwest", namespace: g.Namespace, revision: g.Revision, profile: "empty",
		spec: map[string]any{
			"values": chartValues,
			"components": map[string]any{"ingressGateways": []any{map[string]any{
				"name": wellknown.EastWestGateway, "namespace": g.Namespace, "enabled": true, "label": labels, "k8s": settings,
			}}},
		},
	})
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		switch object.GetKind() {
		case "Service":
			if err := finishService(object, g); err != nil {
				return nil, err
			}
		case "Deployment":
			listenOnce(object, g.WebhookPorts)
		}
	}
	return objects, nil
}

// listenOnce drops container ports, of which the chart makes one for each port of the Service: those that are there
// already, since two may lead to the same, and those of webhooks, for which the gateway's pods need not begin again.
func listenOnce(deployment *unstructured.Unstructured, webhooks map[string]int32) {
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	for _, container := range containers {
		c, ok := container.(map[string]any)
		if !ok {
			continue
		}
		ports, _ := c["ports"].([]any)
		seen := map[string]bool{}
		for _, port := range webhooks {
			seen[strconv.Itoa(int(port))] = true
		}
		c["ports"] = slices.DeleteFunc(ports, func(port any) bool {
			p, ok := port.(map[string]any)
			if !ok {
				return false
			}
			number := fmt.Sprint(p["containerPort"])
			repeated := seen[number]
			seen[number] = true
			return repeated
		})
	}
	if containers != nil {
		_ = unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers")
	}
}

// finishService sets on the gateway's Service what no chart value can.
func finishService(service *unstructured.Unstructured, g Gateway) error {
	annotations := service.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if len(g.Annotations) > 0 {
		maps.Copy(annotations, g.Annotations)
		annotations[wellknown.UserAnnotations] = strings.Join(slices.Sorted(maps.Keys(g.Annotations)), ",")
	}
	if g.Address != "" {
		annotations[wellknown.AddressAnnotation] = g.Address
	}
	if len(annotations) > 0 {
		service.SetAnnotations(annotations)
	}
	if len(g.SourceRanges) == 0 {
		return nil
	}
	if err := unstructured.SetNestedStringSlice(service.Object, g.SourceRanges, "spec", "loadBalancerSourceRanges"); err != nil {
		return fmt.Errorf("restricting the gateway's sources: %w", err)
	}
	return nil
}

// withDefaultTag asks the charts for the revision tag "default" and its validator.
func withDefaultTag(chartValues map[string]any, revision string, wanted bool) map[string]any {
	if wanted {
		if revision == "" {
			revision = "default"
		}
		chartValues["revisionTags"] = []any{"default"}
		chartValues["defaultRevision"] = revision
	}
	return chartValues
}

// finishDefaultTag does to the rendered objects what istioctl's tag step does after an install (operator/pkg/webhook),
// where the charts alone leave another meaning. The injector of the default revision matches nothing once the tag
// "default" answers for it (istioctl/pkg/tag, DeactivateIstioInjectionWebhook): two webhooks that match one pod would
// inject it twice. The tag's validator leaves what is labelled with a revision to that revision's own. And what belongs
// to the tag is marked as such, so that `istioctl tag` finds it and no `istioctl install` prunes it.
func finishDefaultTag(objects []*unstructured.Unstructured, revision string, tagged bool) []*unstructured.Unstructured {
	if !tagged {
		return objects
	}
	for _, object := range objects {
		labels := object.GetLabels()
		switch {
		case object.GetName() == defaultValidator:
			labels[wellknown.TagLabel] = "default"
			setInWebhooks(object, map[string]any{"objectSelector": map[string]any{
				"matchExpressions": []any{map[string]any{"key": wellknown.RevisionLabel, "operator": "DoesNotExist"}},
			}})
		case object.GetKind() == "MutatingWebhookConfiguration" && labels[wellknown.TagLabel] == "" && revision == "":
			never := map[string]any{"matchLabels": map[string]any{"istio.io/deactivated": "never-match"}}
			setInWebhooks(object, map[string]any{"namespaceSelector": never, "objectSelector": never})
		}
		if labels[wellknown.TagLabel] != "" {
			labels[notPrunedLabel] = "true"
			object.SetLabels(labels)
		}
	}
	return objects
}

// setInWebhooks sets fields in every webhook of a configuration.
func setInWebhooks(configuration *unstructured.Unstructured, fields map[string]any) {
	webhooks, _, _ := unstructured.NestedSlice(configuration.Object, "webhooks")
	for _, webhook := range webhooks {
		if w, ok := webhook.(map[string]any); ok {
			maps.Copy(w, runtime.DeepCopyJSON(fields))
		}
	}
	configuration.Object["webhooks"] = webhooks
}
