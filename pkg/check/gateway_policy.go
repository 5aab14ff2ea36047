package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func gatewayPolicyCheck() Check {
	return Check{
		ID: "gateway-policy", Subject: OfControlPlane, Category: Gateway,
		Title:  "no policy shuts remotes out of the gateway",
		Verify: true,
		Needs:  []string{"gateway-ready"},
		Why: `An AuthorizationPolicy shuts the ports of the gateway that lead to istiod. A policy without a selector in Istio's
			namespace, as meshes have it that deny what is not allowed, is the gateway's too. TLS passes through the gateway, so
			no caller has an identity there that a policy could name. Remotes get no sidecars, no configuration and no
			certificates. A policy whose rules may let callers through, by their address for example, passes.`,
		Fix: `Allow ports 15012 and 15017 for the gateway's pods, and 15443 for calls between networks: istiod and the pods behind
			it check their callers themselves. A DENY policy must leave these ports out, since no other can overrule it.`,
		judge: gatewayPolicy,
	}
}

// gatewayPolicy: what passes through the gateway to istiod has no identity there, so that a policy by which a mesh denies
// what is not allowed shuts it, too.
func gatewayPolicy(v view) []Result {
	return v.ownExposure(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.PoliciesPart); r != nil {
			return r
		}
		if gateway, found := seen.Gateway(wellknown.EastWestGateway); !found || gateway.ReadyEndpoints == 0 {
			return needs("gateway-ready")
		}
		if r := v.blockedByPolicy(c, seen); r != nil {
			return r
		}
		return pass("policies of the gateway's pods: %d", len(seen.GatewayPolicies))
	})
}

// blockedByPolicy is the failure of a gateway whose ports policies close, or nil. Only what is certain counts: a rule that may
// allow a caller is taken to allow it.
func (v view) blockedByPolicy(c mesh.Cluster, seen *snapshot.Cluster) []Result {
	var allowing []string
	allowed := map[int]bool{}
	for _, p := range seen.GatewayPolicies {
		if p.Action == "DENY" && len(p.Surely) > 0 {
			return fail(v.exempt(c, p), "AuthorizationPolicy %s in %s denies the gateway's %s to everybody: remotes do not reach istiod",
				p.Name, p.Namespace, portList(p.Surely))
		}
		if p.Action == "ALLOW" {
			allowing = append(allowing, fmt.Sprintf("%s in %s", p.Name, p.Namespace))
			for _, port := range p.Perhaps {
				allowed[port] = true
			}
		}
	}
	closed := slices.DeleteFunc([]int{wellknown.PortXDS, wellknown.PortWebhook}, func(port int) bool { return allowed[port] })
	if allowing == nil || len(closed) == 0 {
		return nil
	}
	return fail(v.allowGateway(c), "an AuthorizationPolicy binds the gateway's pods (%s), and none allows %s: remotes do not reach istiod",
		strings.Join(allowing, ", "), portList(closed))
}

func portList(ports []int) string {
	if len(ports) == 1 {
		return fmt.Sprintf("port %d", ports[0])
	}
	return fmt.Sprintf("ports %d and %d", ports[0], ports[1])
}

// allowGateway lets everybody through to what checks its callers itself: istiod, and on 15443 the pods of this network.
func (v view) allowGateway(c mesh.Cluster) Fix {
	policy := fmt.Sprintf(`{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"allow-eastwestgateway","namespace":%q},`+
		`"spec":{"selector":{"matchLabels":{"istio":"eastwestgateway"}},"rules":[{"to":[{"operation":{"ports":["15012","15017","15443"]}}]}]}}`, v.mesh.Namespace)
	return Fix{Commands: []command.Command{{Argv: []string{"echo", policy}}}}.pipe(v.kubectl(c, "apply", "-f", "-"))
}

// exempt takes the gateway's ports out of a policy that denies everything; no other policy can allow what it denies.
func (v view) exempt(c mesh.Cluster, p snapshot.GatewayPolicy) Fix {
	if len(p.Always) == 0 {
		return advice("take ports 15012 and 15017 out of it").and(v.inspect(c, "-n", p.Namespace, "get", "authorizationpolicy", p.Name, "-o", "yaml"))
	}
	var patches []string
	for _, i := range p.Always {
		patches = append(patches, fmt.Sprintf(`{"op":"replace","path":"/spec/rules/%d","value":{"to":[{"operation":{"notPorts":["15012","15017","15443"]}}]}}`, i))
	}
	return v.kubectl(c, "-n", p.Namespace, "patch", "authorizationpolicy", p.Name, "--type=json", "-p", "["+strings.Join(patches, ",")+"]")
}
