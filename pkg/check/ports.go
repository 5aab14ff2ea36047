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

// gatewayCall is what came of calling one port of the east-west gateway from one place.
type gatewayCall struct {
	// remote is the one whose pods called; empty for this machine.
	remote  string
	purpose snapshot.Purpose
	// address is HOST:PORT.
	address   string
	connected bool
	err       string
	trusted   bool
}

func (c gatewayCall) from() string {
	if c.remote == "" {
		return "this machine"
	}
	return "pods of " + c.remote
}

// gatewayCalls are those from this machine, then those from pods. What pods say counts for more: it is they who use
// the ports.
func (v view) gatewayCalls() (here, pods []gatewayCall) {
	primary, _ := v.mesh.Primary()
	if seen := v.snapshot.Clusters[primary.Name]; seen != nil {
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		for _, p := range seen.Ports {
			purpose := snapshot.ToWebhook
			if p.Number == wellknown.PortXDS {
				purpose = snapshot.ToIstiod
			}
			address := net.JoinHostPort(gateway.Address, fmt.Sprint(p.Number))
			here = append(here, gatewayCall{purpose: purpose, address: address, connected: p.Connected, err: p.Error, trusted: p.Trusted})
		}
	}
	for _, remote := range v.mesh.Remotes() {
		for _, d := range v.dials(remote.Name, primary.Name) {
			pods = append(pods, gatewayCall{remote: remote.Name, purpose: d.Purpose, address: d.Address, connected: d.Connected, err: d.Error, trusted: d.Trusted})
		}
	}
	return here, pods
}

// dials are the handshakes that pods of one cluster made with another.
func (v view) dials(from, to string) []snapshot.Dial {
	var dials []snapshot.Dial
	if v.snapshot.Traffic != nil {
		for _, d := range v.snapshot.Traffic.Dials {
			if d.From == from && d.To == to {
				dials = append(dials, d)
			}
		}
	}
	return dials
}

// needless is true for a port that pods were denied and do not need: only API servers call the webhook's, and this one
// has done so, or a dry-run pod would have got no sidecar.
func (v view) needless(c gatewayCall) bool {
	there := v.snapshot.Clusters[c.remote]
	return c.purpose == snapshot.ToWebhook && there != nil && there.Injection != nil && there.Injection.Error == ""
}

// shutOut names the check that tells why a remote's pods find no istiod at the port of a purpose; empty where they do, or
// were not asked.
func (v view) shutOut(c mesh.Cluster, purpose snapshot.Purpose) (need string) {
	primary, _ := v.mesh.Primary()
	for _, d := range v.dials(c.Name, primary.Name) {
		switch {
		case d.Purpose != purpose:
		case d.Error != "":
			return "firewall"
		case !d.Trusted:
			return "gateway-trust"
		}
	}
	return ""
}

// everybodys are the calls of which all callers say the same of one port, if there were several: the cause is then the
// gateway's, and named once.
func everybodys(all []gatewayCall, bad func(gatewayCall) bool) []gatewayCall {
	var shared []gatewayCall
	for _, purpose := range []snapshot.Purpose{snapshot.ToIstiod, snapshot.ToWebhook} {
		of := slices.DeleteFunc(slices.Clone(all), func(c gatewayCall) bool { return c.purpose != purpose })
		if len(of) > 1 && !slices.ContainsFunc(of, func(c gatewayCall) bool { return !bad(c) }) {
			shared = append(shared, of...)
		}
	}
	return shared
}

// firewall: the gateway's ports answer. Where no pod was asked there is this machine's word alone. It may be outside of
// the sources that the load balancer lets in, so that only a difference between ports, or a remote's own failure, is
// certain then.
func firewall(v view) []Result {
	here, pods := v.gatewayCalls()
	closed := func(c gatewayCall) bool { return c.err != "" && (c.remote == "" || !v.needless(c)) }
	shared := everybodys(slices.Concat(here, pods), closed)
	ofGateway := v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		shut := slices.DeleteFunc(slices.Clone(here), func(c gatewayCall) bool { return !closed(c) })
		// A remote whose API server refuses to call the gateway tells nothing of it.
		remoteFails, uncalled := false, ""
		for _, r := range v.mesh.Remotes() {
			switch there := v.snapshot.Clusters[r.Name]; {
			case there == nil || there.Injection == nil || there.Injection.Error == "":
			case strings.Contains(there.Injection.Error, unsupportedService):
				uncalled = r.Name
			default:
				remoteFails = true
			}
		}
		switch {
		case len(here) == 0 && blind(seen, snapshot.GatewayPortsPart) != nil:
			return blind(seen, snapshot.GatewayPortsPart)
		case len(here) == 0:
			return skip("needs address-pending")
		case len(shared) > 0:
			likely, fix := v.gatewayTrouble(c, gateway, shared)
			return fail(fix, "%s answers nobody who was asked: %s%s", gateway.Address, said(shared), likely)
		case len(shut) == 0:
			return pass("%s answers on %s", gateway.Address, ports(here))
		case len(pods) > 0:
			return pass("%s does not answer this machine on %s (%s), but it does answer the remotes", gateway.Address, ports(shut), shut[0].err)
		case len(shut) < len(here) || remoteFails:
			likely, fix := v.gatewayTrouble(c, gateway, shut)
			return fail(fix, "%s does not answer on %s: %s%s", gateway.Address, ports(shut), shut[0].err, likely)
		case uncalled != "":
			return []Result{{Status: Unknown, Fix: v.verify("--traffic"), Seen: fmt.Sprintf(
				"%s does not answer here (%s), and the API server of %s does not call it", gateway.Address, shut[0].err, uncalled)}}
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
			return fail(advice("see who is between %s and %s: the connection is taken and then ended", c.Name, gateway.Address), "%s", said(shut))
		case len(shut) > 0:
			return fail(advice("let pods, nodes and API servers of %s reach %s, %s (%s)", c.Name, gateway.Address, ports(shut), obstacles(gateway)),
				"%s", said(shut))
		case len(open) == 0:
			return nil // the rest is everybody's
		case len(unneeded) > 0:
			return pass("%s answers pods here on %s; not on %s (%s), but the API server, which alone needs that, gets through", gateway.Address, ports(open), ports(unneeded), unneeded[0].err)
		}
		return pass("%s answers pods here on %s", gateway.Address, ports(open))
	})...)
}

// gatewayTrust: who answers at the gateway shows a certificate of the mesh's root.
func gatewayTrust(v view) []Result {
	here, pods := v.gatewayCalls()
	silent := func(c gatewayCall) bool { return c.err != "" }
	here, pods = slices.DeleteFunc(here, silent), slices.DeleteFunc(pods, silent)
	strange := func(c gatewayCall) bool { return !c.trusted && (c.remote == "" || !v.needless(c)) }
	shared := everybodys(slices.Concat(here, pods), strange)
	unconfirmed := func(c gatewayCall) bool {
		return !slices.ContainsFunc(pods, func(p gatewayCall) bool { return p.purpose == c.purpose })
	}
	ofGateway := v.primary(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		fix := advice("a proxy that ends TLS on the way must let it pass through").and(v.expose())
		met := slices.DeleteFunc(slices.Clone(here), func(c gatewayCall) bool { return !strange(c) })
		switch {
		case len(here) == 0 && len(pods) == 0 && blind(seen, snapshot.GatewayPortsPart) != nil:
			return blind(seen, snapshot.GatewayPortsPart)
		case len(here) == 0 && len(pods) == 0:
			return skip("needs firewall")
		case len(shared) > 0:
			return fail(fix, "who answers at %s, %s, has no certificate of the mesh's root, from wherever it is called (%s): proxies will not talk to it",
				gateway.Address, ports(shared), callers(shared))
		case len(met) > 0 && !slices.ContainsFunc(met, unconfirmed):
			return pass("this machine meets somebody else at %s, %s; the remotes get through to istiod", gateway.Address, ports(met))
		case len(met) > 0:
			return fail(fix, "who answers at %s, %s, has no certificate of the mesh's root: proxies will not talk to it", gateway.Address, ports(met))
		}
		return pass("istiod's certificate is of the mesh's root")
	})
	return append(ofGateway, v.fromPods(pods, shared, func(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) []Result {
		met := slices.DeleteFunc(slices.Clone(calls), func(c gatewayCall) bool { return !strange(c) })
		if len(met) > 0 {
			return fail(advice("see who is between %s and %s: a proxy that ends TLS on the way must let it pass through", c.Name, gateway.Address),
				"who answers pods here at %s, %s, has no certificate of the mesh's root: proxies will not talk to it", gateway.Address, ports(met))
		}
		return pass("istiod's certificate, as pods here see it, is of the mesh's root")
	})...)
}

// fromPods asks about the remotes whose pods have called, and of them what is not everybody's.
func (v view) fromPods(pods, shared []gatewayCall, ask func(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) []Result) []Result {
	primary, _ := v.mesh.Primary()
	return v.remotes(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		own := slices.DeleteFunc(slices.Clone(pods), func(call gatewayCall) bool {
			return call.remote != c.Name || slices.Contains(shared, call)
		})
		seen := v.snapshot.Clusters[primary.Name]
		if len(own) == 0 || seen == nil {
			return nil
		}
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		return ask(c, gateway, own)
	})
}

// gatewayTrouble says why the gateway gives no answer, as far as can be told, and what to do. A connection that it takes
// and then ends is no firewall's doing.
func (v view) gatewayTrouble(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) (likely string, fix Fix) {
	if slices.ContainsFunc(calls, func(c gatewayCall) bool { return !c.connected }) {
		return "", advice("let the remotes reach %s (%s); or is the gateway itself not well?", gateway.Address, obstacles(gateway)).
			and(v.lookThere(c, "get", "pods", "-l", "istio=eastwestgateway"))
	}
	if policies := v.policies(func(p snapshot.Policy) bool { return p.Gateway }); len(policies) > 0 {
		return fmt.Sprintf(". An AuthorizationPolicy is about the gateway too: %s", list(policies)), show(v, policies[0])
	}
	return "", advice("is a DestinationRule or a policy about the gateway?").and(v.lookThere(c, "logs", "-l", "istio=eastwestgateway")).
		and(v.look(c, "get", "destinationrule,authorizationpolicy", "-A"))
}

// obstacles are what may keep callers from the gateway.
func obstacles(gateway snapshot.Gateway) string {
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
	numbers = once(numbers)
	if len(numbers) > 1 {
		return "ports " + strings.Join(numbers, ", ")
	}
	return "port " + strings.Join(numbers, "")
}

// said is what came of calls: from pods of west, 192.0.2.1:15012: i/o timeout. Who says the same says it together.
func said(calls []gatewayCall) string {
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
		texts = append(texts, fmt.Sprintf("from %s, %s: %s", few(together), same.addresses, same.err))
	}
	return strings.Join(texts, "; ")
}

// callers lists who called.
func callers(calls []gatewayCall) string {
	var names []string
	for _, c := range calls {
		names = append(names, c.from())
	}
	return few(once(names))
}

// once leaves out what was there before.
func once(texts []string) []string {
	var first []string
	for _, text := range texts {
		if !slices.Contains(first, text) {
			first = append(first, text)
		}
	}
	return first
}

// few lists texts, but of many only the first.
func few(texts []string) string {
	const most = 4
	if len(texts) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
	}
	return strings.Join(texts, ", ")
}
