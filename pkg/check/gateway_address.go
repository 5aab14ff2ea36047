package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func addressIPv6Check() Check {
	return Check{
		ID: "address-ipv6", Subject: OfControlPlane, Category: Gateway,
		Title:  "remotes can be given the gateway's address",
		Before: []string{BeforeExpose, BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"reachable"},
		Why: `The gateway has an IPv6 address alone. Istio's charts for remotes take it for a hostname and make an ExternalName of
			it, which the API server does not accept.`,
		Fix:   `Give the gateway's load balancer an IPv4 address too, or give expose-istiod the --address by which remotes reach it.`,
		judge: addressIPv6,
	}
}

// addressIPv6: Istio's charts take an IPv6 address for a hostname and make an ExternalName of it, which no API server takes.
func addressIPv6(v view) []Result {
	return v.ownExposure(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		switch {
		case c.Gateway != "":
			return pass("%s", c.Gateway)
		case gateway.Address == "":
			return skip("the gateway has no address yet")
		case facts.IsAttachable(gateway.Address):
			return pass("%s", gateway.Address)
		}
		return fail(advice("give the gateway's load balancer an IPv4 address, or say by which IPv4 address or hostname it is reached").and(v.expose("--address", "ADDRESS").fill("ADDRESS")),
			"Service %s in %s has only the IPv6 address %s, which Istio's charts for remotes do not take", gateway.Name, v.mesh.Namespace, gateway.Address)
	})
}

func addressHostnameCheck() Check {
	return Check{
		ID: "address-hostname", Subject: OfControlPlane, Category: Gateway,
		Title:  "a gateway behind a hostname can be called by API servers",
		Before: []string{BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"address-pending", "no-istiod"},
		Why: `The load balancer gave a hostname. A remote then finds istiod through a Service of type ExternalName, and an API
			server that calls webhooks at endpoints (EKS, k3s) refuses a webhook with such a Service (#45014, #37331). So
			attach-remote has API servers call a URL with that host. istiod's certificate must be for it, and the gateway needs a
			port for each named revision, since a URL tells it the host alone.`,
		Fix:   `Run expose-istiod again, which gives both. Where another tool installed istiod, set ISTIOD_CUSTOM_HOST with that tool.`,
		judge: addressHostname,
	}
}

// addressHostname: API servers call istiod's webhook at a gateway's hostname by a URL, so that istiod's certificate must
// be for that host. The host is the same for all revisions, so a named one needs a port of its own.
func addressHostname(v view) []Result {
	return v.ownExposure(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway(wellknown.EastWestGateway)
		switch {
		case !found || gateway.Address == "":
			return needs("address-pending")
		case !facts.IsHostname(gateway.Address):
			return pass("the address is an IP")
		case unreadable(seen, snapshot.ControlPlanes) != nil:
			return unreadable(seen, snapshot.ControlPlanes)
		}
		controlPlane, found := v.controlPlane()
		if !found {
			return needs("no-istiod")
		}
		if !slices.Contains(controlPlane.CustomHosts, gateway.Address) {
			return fail(v.addHosts(c, controlPlane, gateway),
				"the gateway's address is the hostname %s, which Deployment %s in %s does not have in ISTIOD_CUSTOM_HOST: API servers of remotes would refuse its certificate",
				gateway.Address, controlPlane.Name, v.mesh.Namespace)
		}
		port := gateway.WebhookPort(v.mesh.Revision)
		if v.mesh.Revision != "" && gateway.WebhookPorts[v.mesh.Revision] == 0 {
			return fail(v.expose(), "the gateway's address is the hostname %s, and Service %s in %s has no port for webhooks of revision %s",
				gateway.Address, gateway.Name, v.mesh.Namespace, v.mesh.Revision)
		}
		return pass("istiod's certificate is for %s; API servers call its port %d", gateway.Address, port)
	})
}

// addHosts adds the gateway's hostnames to istiod's certificate, with the tool that installed istiod.
func (v view) addHosts(c mesh.Cluster, controlPlane snapshot.ControlPlane, gateway snapshot.Gateway) Fix {
	hosts := slices.Clone(controlPlane.CustomHosts)
	for _, host := range append([]string{gateway.Address}, gateway.Hostnames...) {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	switch {
	case controlPlane.Ours():
		return v.expose()
	case controlPlane.Rendered:
		return advice("write the files of install-primary again: they have the hostname then. %s is to apply them", controlPlane.InstalledBy)
	}
	return v.howToSet(c, controlPlane, []string{"pilot.env.ISTIOD_CUSTOM_HOST=" + strings.Join(hosts, ",")})
}
