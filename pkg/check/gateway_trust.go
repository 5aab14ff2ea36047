package check

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func gatewayTrustCheck() Check {
	return Check{
		ID: "gateway-trust", Subject: OfLink, Category: Trust,
		Title:          "who answers at the gateway is istiod",
		Verify:         true,
		Needs:          []string{"firewall", "address-hostname"},
		NeedsOfPrimary: []string{"firewall", "address-hostname"},
		Why: `Somebody answers at the gateway's ports with a certificate that is not of the mesh's root: a load balancer or proxy
			that ends TLS, or an address that now belongs to another machine. Proxies refuse to talk to it. With --traffic, pods
			of each remote look too, and what they see counts: what stands between may stand before one cluster alone.`,
		Fix:   `Let TLS pass through to istiod, or run expose-istiod so that remotes get the right address.`,
		judge: gatewayTrust,
	}
}

// gatewayTrust: who answers at the gateway shows a certificate of the mesh's root.
func gatewayTrust(v view) []Result {
	here, pods := v.gatewayCalls()
	silent := func(c gatewayCall) bool { return c.err != "" }
	here, pods = slices.DeleteFunc(here, silent), slices.DeleteFunc(pods, silent)
	untrusted := func(c gatewayCall) bool { return !c.trusted && (c.remote == "" || !v.notNeeded(c)) }
	shared := sharedByAll(slices.Concat(here, pods), untrusted)
	unconfirmed := func(c gatewayCall) bool {
		return !slices.ContainsFunc(pods, func(p gatewayCall) bool { return p.purpose == c.purpose })
	}
	ofGateway := v.ownExposure(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		fix := advice("a proxy that ends TLS on the way must let it pass through").and(v.expose())
		untrustedCalls := slices.DeleteFunc(slices.Clone(here), func(c gatewayCall) bool { return !untrusted(c) })
		switch {
		case len(here) == 0 && len(pods) == 0 && unreadable(seen, snapshot.GatewayPortsPart) != nil:
			return unreadable(seen, snapshot.GatewayPortsPart)
		case len(here) == 0 && len(pods) == 0:
			return needs("firewall")
		case len(shared) > 0:
			return fail(fix, "who answers at %s, %s, has no certificate of the mesh's root, from wherever it is called (%s): proxies will not talk to it",
				gateway.Address, ports(shared), callers(shared))
		case len(untrustedCalls) > 0 && !slices.ContainsFunc(untrustedCalls, unconfirmed):
			return pass("this machine meets somebody else at %s, %s; the remotes get through to istiod", gateway.Address, ports(untrustedCalls))
		case len(untrustedCalls) > 0:
			return fail(fix, "who answers at %s, %s, has no certificate of the mesh's root: proxies will not talk to it", gateway.Address, ports(untrustedCalls))
		}
		return pass("istiod's certificate is of the mesh's root")
	})
	return append(ofGateway, v.fromPods(pods, shared, func(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) []Result {
		untrustedCalls := slices.DeleteFunc(slices.Clone(calls), func(c gatewayCall) bool { return !untrusted(c) })
		if len(untrustedCalls) > 0 {
			return fail(advice("see who is between %s and %s: a proxy that ends TLS on the way must let it pass through", c.Name, gateway.Address),
				"who answers pods here at %s, %s, has no certificate of the mesh's root: proxies will not talk to it", gateway.Address, ports(untrustedCalls))
		}
		return pass("istiod's certificate, as pods here see it, is of the mesh's root")
	})...)
}

// callers lists who called.
func callers(calls []gatewayCall) string {
	var names []string
	for _, c := range calls {
		names = append(names, c.from())
	}
	return firstFew(unique(names))
}
