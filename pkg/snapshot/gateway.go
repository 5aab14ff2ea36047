package snapshot

import (
	"cmp"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// Gateway is an east-west gateway's Service.
type Gateway struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Revision string `json:"revision,omitempty"`
	Network  string `json:"network,omitempty"`
	// Namespace is set where it is not Istio's.
	Namespace string `json:"namespace,omitempty"`
	// CrossNetworkPort is the port at which services are published to other networks.
	CrossNetworkPort int32 `json:"crossNetworkPort,omitempty"`
	// PublishesItself is true for the Service of a Gateway of Kubernetes' Gateway API, which needs no Gateway of Istio's.
	PublishesItself bool `json:"publishesItself,omitempty"`
	// Address is what others reach it by: set by the user with --address, else the load balancer's IP or hostname.
	Address string `json:"address,omitempty"`
	// Hostnames are all names that the load balancer gave it, where Address is one.
	Hostnames []string `json:"hostnames,omitempty"`
	// Override is true when Address is the user's.
	Override bool `json:"override,omitempty"`
	// SourceRanges are the networks that the load balancer lets in; empty means everybody.
	SourceRanges []string `json:"sourceRanges,omitempty"`
	// Annotations are those that a user can set with --gateway-annotation and that kubectl-mesh has set.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Ports are the Service's port numbers.
	Ports []int32 `json:"ports,omitempty"`
	// Selector is the Service's.
	Selector map[string]string `json:"selector,omitempty"`
	// WebhookPorts are the ports of named revisions at which a hostname's injector is called, by revision.
	WebhookPorts map[string]int32 `json:"webhookPorts,omitempty"`
	// Stopped is true when its Deployment is scaled to no pods.
	Stopped bool `json:"stopped,omitempty"`
	// ReadyEndpoints counts the gateway's pods that serve.
	ReadyEndpoints int `json:"readyEndpoints"`
}

// Passthrough is a Gateway of Istio's with tls mode AUTO_PASSTHROUGH on port 15443.
type Passthrough struct {
	Name string `json:"name"`
	// Selector are the labels of the gateways' pods that it is for; without any it is for all.
	Selector map[string]string `json:"selector,omitempty"`
}

// Selects is true for a gateway that it is for, as far as the gateway's Service tells.
func (p Passthrough) Selects(g Gateway) bool {
	for key, value := range p.Selector {
		if g.Selector[key] != value {
			return false
		}
	}
	return true
}

// WebhookPort is where the injector of a revision, empty for the default one, is called at a hostname.
func (g Gateway) WebhookPort(revision string) int32 {
	return cmp.Or(g.WebhookPorts[revision], wellknown.PortWebhook)
}

// Gateway returns the east-west gateway named name.
func (c *Cluster) Gateway(name string) (Gateway, bool) {
	for _, g := range c.Gateways {
		if g.Name == name {
			return g, true
		}
	}
	return Gateway{}, false
}
