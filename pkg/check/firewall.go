package check

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func firewallCheck() Check {
	return Check{
		ID: "firewall", Subject: OfLink, Category: Gateway,
		Title:          "the gateway's ports answer",
		Verify:         true,
		Needs:          []string{"istiod-ready", "gateway-policy", "address-pending", "gateway-ready", "not-exposed"},
		NeedsOfPrimary: []string{"istiod-ready", "gateway-policy", "address-pending", "gateway-ready", "not-exposed"},
		Why: `The gateway has an address and serves, but not all of its ports answer: a firewall, a security group or the load
			balancer's source ranges are in between (#30765). Proxies need 15012, API servers 15017 (of a hostname, a named
			revision's own port). With --traffic, pods of each remote call the ports, and what they find counts; if nobody at all
			is answered, the result is of the primary. Without, only this machine calls: if no port answers it while the remotes
			are fine, it alone is shut out, and the check passes.`,
		Fix:   `Let the remotes' pods, nodes and API servers reach the ports.`,
		judge: firewall,
	}
}

// firewall: the gateway's ports answer. Where no pod called them, only this machine did. It may be outside of the sources that
// the load balancer lets in; then only a difference between ports, or a remote's own failure, is certain.
func firewall(v view) []Result {
	here, pods := v.gatewayCalls()
	closed := func(c gatewayCall) bool { return c.err != "" && (c.remote == "" || !v.notNeeded(c)) }
	shared := sharedByAll(slices.Concat(here, pods), closed)
	ofGateway := v.ownExposure(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		shut := slices.DeleteFunc(slices.Clone(here), func(c gatewayCall) bool { return !closed(c) })
		// A remote whose API server refuses to call the gateway shows nothing about it.
		remoteFails, uncalled := false, ""
		for _, r := range v.remotes() {
			switch there := v.snapshot.Clusters[r.Name]; {
			case there == nil || there.Injection == nil || there.Injection.Error == "":
			case strings.Contains(there.Injection.Error, unsupportedService):
				uncalled = r.Name
			default:
				remoteFails = true
			}
		}
		switch {
		case len(here) == 0 && unreadable(seen, snapshot.GatewayPortsPart) != nil:
			return unreadable(seen, snapshot.GatewayPortsPart)
		case len(here) == 0:
			return needs("address-pending")
		case len(shared) > 0:
			likely, fix := v.explainNoAnswer(c, gateway, shared)
			return fail(fix, "%s answers nobody who was asked: %s%s", gateway.Address, describeCalls(shared), likely)
		case len(shut) == 0:
			return pass("%s answers on %s", gateway.Address, ports(here))
		case len(pods) > 0:
			return pass("%s does not answer this machine on %s (%s), but it does answer the remotes", gateway.Address, ports(shut), shut[0].err)
		case len(shut) < len(here) || remoteFails:
			likely, fix := v.explainNoAnswer(c, gateway, shut)
			return fail(fix, "%s does not answer on %s: %s%s", gateway.Address, ports(shut), shut[0].err, likely)
		case uncalled != "":
			return unknown(v.verify("--traffic"), "%s does not answer here (%s), and the API server of %s does not call it", gateway.Address, shut[0].err, uncalled)
		}
		return pass("%s does not answer here, but it does answer the remotes", gateway.Address)
	})
	return append(ofGateway, v.fromPods(pods, shared, func(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) []Result {
		var open, shut, unneeded []gatewayCall
		for _, call := range calls {
			switch {
			case closed(call):
				shut = append(shut, call)
			case call.err != "":
				unneeded = append(unneeded, call)
			default:
				open = append(open, call)
			}
		}
		switch {
		case len(shut) > 0 && !slices.ContainsFunc(shut, func(c gatewayCall) bool { return !c.connected }):
			return fail(advice("see who is between %s and %s: the connection is taken and then ended", c.Name, gateway.Address), "%s", describeCalls(shut))
		case len(shut) > 0:
			return fail(advice("let pods, nodes and API servers of %s reach %s, %s (%s)", c.Name, gateway.Address, ports(shut), whatMayBlock(gateway)),
				"%s", describeCalls(shut))
		case len(open) == 0:
			return nil // the rest went wrong for all callers
		case len(unneeded) > 0:
			return pass("%s answers pods here on %s; not on %s (%s), but the API server, which alone needs that, gets through", gateway.Address, ports(open), ports(unneeded), unneeded[0].err)
		}
		return pass("%s answers pods here on %s", gateway.Address, ports(open))
	})...)
}

// explainNoAnswer says why the gateway gives no answer, as far as can be told, and what to do. A firewall does
// not accept a connection and then end it.
func (v view) explainNoAnswer(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) (likely string, fix Fix) {
	if slices.ContainsFunc(calls, func(c gatewayCall) bool { return !c.connected }) {
		return "", advice("let the remotes reach %s (%s); or is the gateway itself not well?", gateway.Address, whatMayBlock(gateway)).
			and(v.inspectNamespaced(c, "get", "pods", "-l", "istio=eastwestgateway"))
	}
	if policies := v.policies(func(p snapshot.Policy) bool { return p.Gateway }); len(policies) > 0 {
		return fmt.Sprintf(". An AuthorizationPolicy is about the gateway too: %s", policyList(policies)), showPolicy(v, policies[0])
	}
	return "", advice("is a DestinationRule or a policy about the gateway?").and(v.inspectNamespaced(c, "logs", "-l", "istio=eastwestgateway")).
		and(v.inspect(c, "get", "destinationrule,authorizationpolicy", "-A"))
}

// whatMayBlock names what may keep callers from the gateway.
func whatMayBlock(gateway snapshot.Gateway) string {
	if len(gateway.SourceRanges) > 0 {
		return fmt.Sprintf("firewalls, security groups; the load balancer lets in %s alone, which expose-istiod --load-balancer-source-range changes",
			strings.Join(gateway.SourceRanges, ", "))
	}
	return "firewalls, security groups, network policies"
}

// ports lists the calls' ports, each once.
func ports(calls []gatewayCall) string {
	var numbers []string
	for _, c := range calls {
		_, port, _ := net.SplitHostPort(c.address)
		numbers = append(numbers, port)
	}
	numbers = unique(numbers)
	if len(numbers) > 1 {
		return "ports " + strings.Join(numbers, ", ")
	}
	return "port " + strings.Join(numbers, "")
}

// describeCalls says what came of calls: from pods of west, 192.0.2.1:15012: i/o timeout. Who says the same says it together.
func describeCalls(calls []gatewayCall) string {
	type words struct{ addresses, err string }
	heard := map[string]words{} // by caller and error
	var who []string
	for _, c := range calls {
		key := c.from() + "\n" + c.err
		w, again := heard[key]
		if !again {
			who = append(who, key)
			heard[key] = words{c.address, c.err}
			continue
		}
		w.addresses += ", " + c.address
		heard[key] = w
	}
	var texts []string
	for len(who) > 0 {
		same := heard[who[0]]
		var together []string
		who = slices.DeleteFunc(who, func(key string) bool {
			if heard[key] != same {
				return false
			}
			from, _, _ := strings.Cut(key, "\n")
			together = append(together, from)
			return true
		})
		texts = append(texts, fmt.Sprintf("from %s, %s: %s", firstFew(together), same.addresses, same.err))
	}
	return strings.Join(texts, "; ")
}
