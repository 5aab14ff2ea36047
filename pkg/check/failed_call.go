package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// failedCall is a call that was not always answered, between pods of two clusters.
type failedCall struct {
	snapshot.Call
	from, to mesh.Cluster
	// whole are the protocols in which all calls of the pair were answered.
	whole []string
}

// errorHas is true when the call's error has one of the parts.
func (f failedCall) errorHas(parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(f.Error, part) })
}

// explainFailure reads from a call's error at which link the chain broke: name, route, endpoint, handshake or policy. likely is
// a sentence to add to the error, if any. The texts are Go's and Envoy's.
func (v view) explainFailure(f failedCall) (likely string, fix Fix) {
	settings := v.inspect(v.home, "get", "peerauthentication,destinationrule", "-A")
	switch {
	case f.errorHas("no such host"):
		return fmt.Sprintf(". DNS of %s does not know the Service: it is not there, or the cluster's domain is not cluster.local.", f.from.Name),
			v.inspect(f.from, "-n", "kube-system", "logs", "-l", "k8s-app=kube-dns")
	case f.errorHas("lookup "):
		return fmt.Sprintf(". DNS of %s does not answer.", f.from.Name),
			v.inspect(f.from, "-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns")
	case f.errorHas("WRONG_VERSION_NUMBER"):
		return fmt.Sprintf(". Pods of %s insist on mutual TLS (DestinationRule), which those of %s do not take (PeerAuthentication DISABLE, or no sidecar).", f.from.Name, f.to.Name), settings
	case f.errorHas("connection termination"):
		return fmt.Sprintf(". Pods of %s take mutual TLS alone (PeerAuthentication STRICT), and those of %s do not offer it (DestinationRule).", f.to.Name, f.from.Name), settings
	case f.errorHas("TLS_error", "TLS error", "CERTIFICATE_VERIFY_FAILED", "UNKNOWN_CA"):
		return ". The sidecars do not trust each other.", advice("see roots-differ; and compare the trust domains of the control planes")
	case f.errorHas("RBAC", "HTTP 403", "PermissionDenied"):
		return v.forbidden()
	case f.errorHas("no healthy upstream"):
		return fmt.Sprintf(". The caller's sidecar has no endpoint in %s: no pod there is ready, istiod does not see it, or another network lies between without a gateway.", f.to.Name),
			advice("see not-synced and network-label")
	case f.errorHas("onnection refused", "connect error: 111"):
		return fmt.Sprintf(". Nobody listens at the address that the caller's sidecar was given of %s: does it belong to somebody else?", f.to.Name),
			advice("see network-overlap and sync-partial")
	case len(f.whole) > 0:
		return fmt.Sprintf(". Packets do get there (%s is answered): a policy or DestinationRule is for this port alone, or mutual TLS is on at one side only.", strings.Join(f.whole, ", ")),
			v.inspect(v.home, "get", "peerauthentication,destinationrule,authorizationpolicy", "-A")
	case f.errorHas("HTTP 502", "EOF", "connection reset", "closed idle connection", "server preface"):
		return ". The caller's sidecar does not know the Service: a Sidecar resource hides it, or istiod has not told of it.",
			v.inspect(v.home, "get", "sidecars.networking.istio.io", "-A")
	case f.errorHas("deadline exceeded", "i/o timeout", "no route to host", "connect error", "connect_error", "connection timeout", "connection failure"):
		not := "do not"
		if f.Answered > 0 {
			not = "do not always"
		}
		return fmt.Sprintf(". Packets from pods of %s %s reach pods of %s.", f.from.Name, not, f.to.Name),
			advice("check routes and firewalls between the pod ranges; clusters whose pods do not reach each other need networks of their own with a gateway in each: see network-unconnected")
	}
	return "", advice("look at the sidecars' logs; --keep leaves the probes").and(v.verify("--traffic", "--keep"))
}

// forbidden names the policies that may have forbidden a call between probes. They bring an ALLOW policy of their own.
func (v view) forbidden() (likely string, fix Fix) {
	named := v.policies(func(p snapshot.Policy) bool { return p.Probes && p.Action != "ALLOW" })
	if len(named) == 0 {
		return ". An AuthorizationPolicy forbids it.", v.inspect(v.home, "get", "authorizationpolicy", "-A")
	}
	return fmt.Sprintf(". An AuthorizationPolicy forbids it: %s.", policyList(named)), showPolicy(v, named[0])
}

// policies are those of the mesh that were seen and are wanted.
func (v view) policies(wanted func(snapshot.Policy) bool) []snapshot.Policy {
	if v.snapshot.Traffic == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.snapshot.Traffic.Policies), func(p snapshot.Policy) bool { return !wanted(p) })
}

func policyList(policies []snapshot.Policy) string {
	var names []string
	for _, p := range policies {
		names = append(names, fmt.Sprintf("%s in %s (%s)", p.Name, p.Namespace, p.Action))
	}
	return firstFew(names)
}

// showPolicy is how a policy is looked at: istiod reads those of the primary, for all clusters.
func showPolicy(v view, p snapshot.Policy) Fix {
	if p.Namespace == v.snapshot.Traffic.Namespace {
		return advice("find out who writes policies into new namespaces: this one went with the probes, which --keep leaves").and(v.verify("--traffic", "--keep"))
	}
	return v.inspect(v.home, "-n", p.Namespace, "get", "authorizationpolicy", p.Name, "-o", "yaml")
}
