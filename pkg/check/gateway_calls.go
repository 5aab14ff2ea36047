package check

import (
	"fmt"
	"net"
	"slices"

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

// gatewayCalls are those from this machine, then those from pods. Those from pods count for more, since pods use
// the ports.
func (v view) gatewayCalls() (here, pods []gatewayCall) {
	if seen := v.seenHome(); seen != nil {
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
	for _, remote := range v.remotes() {
		for _, d := range v.dials(remote.Name, v.home.Name) {
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

// notNeeded is true for a port that pods were denied and do not need: only API servers call the webhook's, and this one
// has done so, or a dry-run pod would have got no sidecar.
func (v view) notNeeded(c gatewayCall) bool {
	there := v.snapshot.Clusters[c.remote]
	return c.purpose == snapshot.ToWebhook && there != nil && there.Injection != nil && there.Injection.Error == ""
}

// gatewayCauseFor names the check that tells why a remote's pods find no istiod at the port of a purpose; empty where they do, or
// were not asked.
func (v view) gatewayCauseFor(c mesh.Cluster, purpose snapshot.Purpose) (need string) {
	for _, d := range v.dials(c.Name, v.home.Name) {
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

// sharedByAll are the calls to a port that went wrong for all callers, if there were several: the cause is then the gateway, and
// named once.
func sharedByAll(all []gatewayCall, bad func(gatewayCall) bool) []gatewayCall {
	var shared []gatewayCall
	for _, purpose := range []snapshot.Purpose{snapshot.ToIstiod, snapshot.ToWebhook} {
		of := slices.DeleteFunc(slices.Clone(all), func(c gatewayCall) bool { return c.purpose != purpose })
		if len(of) > 1 && !slices.ContainsFunc(of, func(c gatewayCall) bool { return !bad(c) }) {
			shared = append(shared, of...)
		}
	}
	return shared
}

// fromPods asks about the remotes whose pods have called, leaving out the calls that went wrong for all callers.
func (v view) fromPods(pods, shared []gatewayCall, ask func(c mesh.Cluster, gateway snapshot.Gateway, calls []gatewayCall) []Result) []Result {
	return v.eachRemote(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		own := slices.DeleteFunc(slices.Clone(pods), func(call gatewayCall) bool {
			return call.remote != c.Name || slices.Contains(shared, call)
		})
		seen := v.seenHome()
		if len(own) == 0 || seen == nil {
			return nil
		}
		gateway, _ := seen.Gateway(wellknown.EastWestGateway)
		return ask(c, gateway, own)
	})
}
