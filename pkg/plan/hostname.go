package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// firstWebhookPort is the lowest port that a named revision's webhooks get at the gateway: Istio uses none above it but
// 15443.
const firstWebhookPort = 15101

// customHosts are the hosts that istiod's certificate is for: those that it was given before, and the gateway's hostnames.
// A second run of install-primary leaves them.
func (b *builder) customHosts(primary mesh.Cluster) string {
	seen := b.seen(primary.Name)
	plane, _ := seen.ControlPlane(b.mesh.RevisionLabel())
	gateway, _ := seen.Gateway(wellknown.EastWestGateway)
	var hosts []string
	for _, host := range slices.Concat(plane.CustomHosts, gateway.Hostnames) {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return strings.Join(hosts, ",")
}

// addHostname adds what a gateway with a hostname needs beyond one with an IP; which of them it has is known when the steps
// run. Webhooks of remotes are called by a URL then: istiod's certificate must be for that host. The host is the same for
// all revisions, so a named one gets a port of its own at the gateway.
func (b *builder) addHostname(c mesh.Cluster, first ApplyGateway, address, exposure string) {
	if port := first.WebhookPorts[b.mesh.Revision]; b.mesh.Revision != "" && port == 0 {
		second := first
		second.OnlyForHostname, second.WebhookPorts = true, withPort(first.WebhookPorts, b.mesh.Revision)
		b.add(ExposeIstiod, c.Name, "webhook-port", "Open a port for webhooks of revision "+b.mesh.Revision+", if the address is a hostname", second, address)
		b.add(ExposeIstiod, c.Name, "webhook-exposure", "Publish istiod at that port",
			ApplyExposure{WebhookPort: second.WebhookPorts[b.mesh.Revision], OnlyForHostname: true}, address, exposure)
	}
	for _, revision := range b.revisionsToTell(c) {
		deployment := wellknown.Istiod
		if revision != mesh.DefaultRevision {
			deployment += "-" + revision
		}
		hosts := b.add(ExposeIstiod, c.Name, deployment+"-hosts", "Give "+deployment+" the gateway's hostname, if it has one",
			ApplyCustomHosts{Deployment: deployment}, address)
		b.add(ExposeIstiod, c.Name, deployment+"-restarted", "Wait for "+deployment, AwaitRestarted{Name: deployment}, hosts)
	}
}

// withPort adds a port for the webhooks of a revision: the lowest above those that others have.
func withPort(taken map[string]int32, revision string) map[string]int32 {
	port := int32(firstWebhookPort)
	for _, used := range taken {
		port = max(port, used+1)
	}
	ports := maps.Clone(taken)
	if ports == nil {
		ports = map[string]int32{}
	}
	ports[revision] = port
	return ports
}

// revisionsToTell are those whose istiod is published and was installed by this tool: the gateway's hostname may be new
// to all of them. What another tool installed is not touched.
func (b *builder) revisionsToTell(c mesh.Cluster) []string {
	seen, own := b.seen(c.Name), b.mesh.RevisionLabel()
	var revisions []string
	if _, there := seen.ControlPlane(own); !there {
		revisions = append(revisions, own) // it is installed by this plan
	}
	for _, plane := range seen.ControlPlanes {
		if plane.Ours() && (plane.Revision == own || slices.Contains(seen.Exposed, plane.Revision)) {
			revisions = append(revisions, plane.Revision)
		}
	}
	return revisions
}

// keepsPort443 is true for a gateway that has the port and a primary that may have remotes which call it: earlier releases
// attached remotes so to a hostname. Each goes on to work until it is attached again.
func keepsPort443(seen *snapshot.Cluster, was snapshot.Gateway) bool {
	_, unread := seen.CouldNotRead(snapshot.RemoteSecretsPart)
	return slices.Contains(was.Ports, 443) && (len(seen.RemoteSecrets) > 0 || unread)
}
