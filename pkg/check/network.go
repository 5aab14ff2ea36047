package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

func networkOverlap(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		if r := blind(seen, observe.Nodes); r != nil {
			return r
		}
		if len(seen.PodRanges) == 0 {
			return skip("no node tells its pod range")
		}
		for _, other := range v.mesh.Clusters {
			if other.Name == c.Name {
				break // those that come after it tell of it
			}
			theirs := v.snapshot.Clusters[other.Name]
			if other.Network != c.Network || theirs == nil {
				continue
			}
			if mine, its, overlap := overlapping(seen.PodRanges, theirs.PodRanges); overlap {
				return fail(fmt.Sprintf("clusters whose pod ranges overlap need networks of their own: kubectl mesh attach-remote --context %s %s=%s --network ANOTHER",
					primaryContext(v), c.Name, c.Context),
					"pods here have addresses of %s and those of %s of %s, on one network (%q): a pod's address is not the pod's alone", mine, other.Name, its, c.Network)
			}
		}
		return pass("%s", strings.Join(seen.PodRanges, ", "))
	})
}

func overlapping(a, b []string) (first, second string, overlap bool) {
	for _, x := range a {
		for _, y := range b {
			p, errA := netip.ParsePrefix(x)
			q, errB := netip.ParsePrefix(y)
			if errA == nil && errB == nil && p.Overlaps(q) {
				return x, y, true
			}
		}
	}
	return "", "", false
}

func addressHostname(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		if r := blind(seen, observe.Gateways); r != nil {
			return r
		}
		gateway, found := seen.Gateway("istio-eastwestgateway")
		if !found || gateway.Address == "" {
			return skip("needs address-pending")
		}
		if _, err := netip.ParseAddr(gateway.Address); err == nil {
			return pass("the address is an IP")
		}
		if slices.Contains(gateway.Ports, 443) {
			return pass("port 443 leads to istiod's webhook")
		}
		return fail("kubectl mesh expose-istiod --context "+c.Context+v.revisionFlag(),
			"the address is a hostname (%s), and API servers call port 443 of it, which Service %s in %s does not have", gateway.Address, gateway.Name, v.mesh.Namespace)
	})
}

// revisionFlag is what a command needs to mean the mesh's revision.
func (v view) revisionFlag() string {
	if v.mesh.Revision == "" {
		return ""
	}
	return " --revision " + v.mesh.Revision
}

// firewall: the gateway's ports answer. This machine may be outside of the sources that the load balancer lets in, so
// that only a difference between ports, or a remote's own failure, is certain.
func firewall(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		if len(seen.Ports) == 0 {
			return skip("needs address-pending")
		}
		if v.shut(c, seen) != nil {
			return skip("needs gateway-policy")
		}
		var open, closed []string
		reason := ""
		for _, p := range seen.Ports {
			if p.Error == "" {
				open = append(open, fmt.Sprint(p.Number))
			} else {
				closed, reason = append(closed, fmt.Sprint(p.Number)), p.Error
			}
		}
		remoteFails := slices.ContainsFunc(v.mesh.Remotes(), func(r mesh.Cluster) bool {
			there := v.snapshot.Clusters[r.Name]
			return there != nil && there.Injection != nil && there.Injection.Error != ""
		})
		gateway, _ := seen.Gateway("istio-eastwestgateway")
		switch {
		case len(closed) == 0:
			return pass("%s answers on %s", gateway.Address, strings.Join(open, ", "))
		case len(open) > 0 || remoteFails:
			return fail(fmt.Sprintf("let the remotes reach %s, ports 15012 and 15017 (firewalls, security groups, --load-balancer-source-range); is the gateway itself well? kubectl --context %s -n %s get pods -l istio=eastwestgateway",
				gateway.Address, c.Context, v.mesh.Namespace), "%s does not answer on %s: %s", gateway.Address, strings.Join(closed, ", "), reason)
		}
		return pass("%s does not answer here, but it does answer the remotes", gateway.Address)
	})
}

func gatewayTrust(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		var strange []string
		answered := false
		for _, p := range seen.Ports {
			if p.Error == "" {
				answered = true
				if !p.Trusted {
					strange = append(strange, fmt.Sprint(p.Number))
				}
			}
		}
		gateway, _ := seen.Gateway("istio-eastwestgateway")
		switch {
		case !answered:
			return skip("needs firewall")
		case strange != nil:
			return fail(fmt.Sprintf("kubectl mesh expose-istiod --context %s%s; a proxy that ends TLS on the way must let it pass through", c.Context, v.revisionFlag()),
				"who answers at %s, port %s, has no certificate of the mesh's root: proxies will not talk to it", gateway.Address, strings.Join(strange, ", "))
		}
		return pass("istiod's certificate is of the mesh's root")
	})
}

// maxSkew is the difference between clocks, in seconds, from which new certificates and tokens are refused.
const maxSkew = 30

func clockSkew(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *observe.Cluster) []Result {
		if r := blind(seen, observe.Identity); r != nil {
			return r
		}
		primary, _ := v.mesh.Primary()
		p := v.snapshot.Clusters[primary.Name]
		if seen.Clock == nil || p == nil || p.Clock == nil {
			return skip("nobody told the time")
		}
		if apart := seen.Clock.Ahead - p.Clock.Ahead; apart > maxSkew || apart < -maxSkew {
			return fail(fmt.Sprintf("let the nodes of %s follow a time server", c.Name),
				"the API server's clock is %d s apart from the primary's: certificates and tokens are not yet, or no longer, valid", apart)
		}
		return pass("the clocks agree")
	})
}
