package istio

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// A remote finds istiod behind a hostname through a Service of type ExternalName. An API server that calls webhooks at the
// endpoints of their Services refuses such a webhook (istio/istio#37331, #45014), so the injector is called by a URL
// instead: istiod's certificate must be for that host then, and the gateway is told no name but the host's.

// CustomHostVariable lists, with commas, further names that istiod's certificate is for (pilot/pkg/bootstrap, getDNSNames).
const CustomHostVariable = "ISTIOD_CUSTOM_HOST"

// webhookPortPrefix begins the name of the gateway's port for the webhooks of a named revision.
const webhookPortPrefix = "tls-rev-"

// port443 is the name of the gateway's port 443, as earlier releases gave it.
const port443 = "tls-webhook-443"

// istiodContainer is istiod itself in its pod.
const istiodContainer = "discovery"

// Hostnames are the names by which others reach a gateway; none where they reach it by an IP.
func Hostnames(service *corev1.Service) []string {
	address, override := AddressOf(service)
	switch {
	case !facts.IsHostname(address):
		return nil
	case override:
		return []string{address}
	}
	var names []string
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if ingress.Hostname != "" && !slices.Contains(names, ingress.Hostname) {
			names = append(names, ingress.Hostname)
		}
	}
	return names
}

// WebhookPorts are the gateway's ports for the webhooks of named revisions, by revision.
func WebhookPorts(service *corev1.Service) map[string]int32 {
	var ports map[string]int32
	for _, port := range service.Spec.Ports {
		revision, is := strings.CutPrefix(port.Name, webhookPortPrefix)
		if !is {
			continue
		}
		if ports == nil {
			ports = map[string]int32{}
		}
		ports[revision] = port.Port
	}
	return ports
}

// injectionURL is where an API server calls the injector at a host.
func injectionURL(host string, port int32, path string) string {
	return "https://" + net.JoinHostPort(host, strconv.Itoa(int(cmp.Or(port, wellknown.PortWebhook)))) + path
}

// CustomHosts are the hosts that istiod's Deployment has in ISTIOD_CUSTOM_HOST.
func CustomHosts(deployment *appsv1.Deployment) []string {
	for _, container := range deployment.Spec.Template.Spec.Containers {
		for _, variable := range container.Env {
			if container.Name == istiodContainer && variable.Name == CustomHostVariable {
				return splitHosts(variable.Value)
			}
		}
	}
	return nil
}

func splitHosts(value string) []string {
	hosts := strings.Split(value, ",")
	for i, host := range hosts {
		hosts[i] = strings.TrimSpace(host)
	}
	return slices.DeleteFunc(hosts, func(host string) bool { return host == "" })
}

// WithCustomHosts is what kubectl-mesh has applied of istiod's Deployment, with hosts added to ISTIOD_CUSTOM_HOST. What
// others have set in it is theirs and no part of it.
func WithCustomHosts(deployment *appsv1.Deployment, hosts []string) (*unstructured.Unstructured, error) {
	applied, err := applyappsv1.ExtractDeployment(deployment, wellknown.FieldManager)
	if err != nil {
		return nil, fmt.Errorf("what %s has applied of Deployment %s in %s: %w", wellknown.FieldManager, deployment.Name, deployment.Namespace, err)
	}
	object, err := toUnstructured(applied)
	if err != nil {
		return nil, err
	}
	if !addCustomHosts(object, append(CustomHosts(deployment), hosts...)) {
		return nil, fmt.Errorf("%s has applied no container %s in Deployment %s in %s", wellknown.FieldManager, istiodContainer, deployment.Name, deployment.Namespace)
	}
	return object, nil
}

// addCustomHosts adds hosts to those that istiod's Deployment has; false where istiod's container is not in it. Empty values
// of variables are written down, as the charts do: the API server leaves them out, and applying less would give them up.
func addCustomHosts(deployment *unstructured.Unstructured, hosts []string) (added bool) {
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	for _, container := range containers {
		c, ok := container.(map[string]any)
		if !ok || c["name"] != istiodContainer || len(hosts) == 0 {
			continue
		}
		env, _ := c["env"].([]any)
		var own map[string]any
		for _, variable := range env {
			v, ok := variable.(map[string]any)
			if !ok {
				continue
			}
			if v["value"] == nil && v["valueFrom"] == nil {
				v["value"] = ""
			}
			if v["name"] == CustomHostVariable {
				own = v
			}
		}
		if own == nil {
			own = map[string]any{"name": CustomHostVariable}
			env = append(env, own)
		}
		has, _ := own["value"].(string)
		all := splitHosts(has)
		for _, host := range hosts {
			if !slices.Contains(all, host) {
				all = append(all, host)
			}
		}
		own["value"] = strings.Join(all, ",")
		c["env"], added = env, true
	}
	if added {
		_ = unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers")
	}
	return added
}
