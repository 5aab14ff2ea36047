package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addressHostname: API servers call istiod's webhook at a gateway's hostname by a URL, so that istiod's certificate must
// be for that host. The host is the same for all revisions, so a named one needs a port of its own.
func addressHostname(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway(wellknown.EastWestGateway)
		switch {
		case !found || gateway.Address == "":
			return skip("needs address-pending")
		case !isHostname(gateway.Address):
			return pass("the address is an IP")
		case blind(seen, snapshot.ControlPlanes) != nil:
			return blind(seen, snapshot.ControlPlanes)
		}
		plane, found := v.plane()
		if !found {
			return skip("needs no-istiod")
		}
		if !slices.Contains(plane.CustomHosts, gateway.Address) {
			return fail(v.giveHosts(c, plane, gateway),
				"the gateway's address is the hostname %s, which Deployment %s in %s does not have in ISTIOD_CUSTOM_HOST: API servers of remotes would refuse its certificate",
				gateway.Address, plane.Name, v.mesh.Namespace)
		}
		port := gateway.WebhookPort(v.mesh.Revision)
		if v.mesh.Revision != "" && gateway.WebhookPorts[v.mesh.Revision] == 0 {
			return fail(v.expose(), "the gateway's address is the hostname %s, and Service %s in %s has no port for webhooks of revision %s",
				gateway.Address, gateway.Name, v.mesh.Namespace, v.mesh.Revision)
		}
		return pass("istiod's certificate is for %s; API servers call its port %d", gateway.Address, port)
	})
}

// giveHosts is how istiod gets the gateway's hostnames, by whatever has installed it.
func (v view) giveHosts(c mesh.Cluster, plane snapshot.ControlPlane, gateway snapshot.Gateway) Fix {
	hosts := slices.Clone(plane.CustomHosts)
	for _, host := range append([]string{gateway.Address}, gateway.Hostnames...) {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	switch {
	case plane.Ours():
		return v.expose()
	case plane.Rendered:
		return advice("write the files of install-primary again: they have the hostname then. %s is to apply them", plane.InstalledBy)
	}
	return v.howToSet(c, plane, []string{"pilot.env.ISTIOD_CUSTOM_HOST=" + strings.Join(hosts, ",")})
}

// addressIPv6: Istio's charts take an IPv6 address for a hostname and make an ExternalName of it, which no API server takes.
func addressIPv6(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		ip, err := netip.ParseAddr(gateway.Address)
		switch {
		case c.Gateway != "":
			return pass("%s", c.Gateway)
		case gateway.Address == "":
			return skip("the gateway has no address yet")
		case err != nil || ip.Is4():
			return pass("%s", gateway.Address)
		}
		return fail(advice("give the gateway's load balancer an IPv4 address, or say by which IPv4 address or hostname it is reached").and(v.expose("--address", "ADDRESS").fill("ADDRESS")),
			"Service %s in %s has only the IPv6 address %s, which Istio's charts for remotes do not take", gateway.Name, v.mesh.Namespace, gateway.Address)
	})
}

// webhookAddress: a remote's API server calls the injector where the gateway is now.
func webhookAddress(v view) []Result {
	gateway := snapshot.Gateway{}
	if p := v.snapshot.Clusters[v.thePrimary().Name]; p != nil {
		gateway, _ = p.Gateway(wellknown.EastWestGateway)
	}
	called := func(host string) string { return fmt.Sprintf("%s:%d", host, v.webhookPort()) }
	return v.attached(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Injectors); r != nil {
			return r
		}
		injectors := v.injectors(seen)
		switch {
		case len(injectors) == 0:
			return skip("needs revision-mismatch")
		case gateway.Address == "":
			return skip("the gateway has no address to compare with")
		}
		for _, i := range injectors {
			for _, host := range i.Hosts {
				known := slices.ContainsFunc(append([]string{gateway.Address}, gateway.Hostnames...), func(name string) bool { return host == called(name) })
				switch {
				case host != "" && !known:
					return fail(v.attachOver(c), "MutatingWebhookConfiguration %s has the API server call %s, but the gateway is at %s", i.Name, host, called(gateway.Address))
				case host == "" && isHostname(gateway.Address):
					return v.externalNameWebhook(c, seen, i, gateway)
				}
			}
		}
		if isHostname(gateway.Address) {
			return pass("the API server calls %s", called(gateway.Address))
		}
		return pass("the API server calls Service %s", v.istiod())
	})
}

// externalNameWebhook is a webhook at a Service that is only a name for the gateway's host, as earlier releases made it and
// Istio's guide still does. Whether it works depends on how the API server was started.
func (v view) externalNameWebhook(c mesh.Cluster, seen *snapshot.Cluster, i snapshot.Injector, gateway snapshot.Gateway) []Result {
	text := fmt.Sprintf("MutatingWebhookConfiguration %s has the API server call Service %s, which is only a name for %s: where webhooks are called at endpoints (EKS, k3s) it refuses that (unsupported service type)",
		i.Name, v.istiod(), gateway.Address)
	works := slices.Contains(gateway.Ports, 443) // which is what other API servers call
	if seen.Injection != nil {
		works = seen.Injection.Error == ""
	}
	if works {
		return warn(v.attachOver(c), "%s; this one does not, yet", text)
	}
	return fail(v.attachOver(c), "%s, and others call port 443", text)
}

// isHostname is true for an address that is no IP.
func isHostname(address string) bool {
	_, err := netip.ParseAddr(address)
	return address != "" && err != nil
}
