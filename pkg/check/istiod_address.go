package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func addressEmptyCheck() Check {
	return Check{
		ID: "address-empty", Subject: OfLink, Category: Gateway,
		Title:  "the remote was installed with istiod's address",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `The remote profile was installed without the address of istiod (values.global.remotePilotAddress). Istio's charts then
			make no Service istiod, without a word. It happens where a script reads the load balancer's .ip, and the cloud gave it
			a hostname, or nothing yet (#24155). Neither the API server nor proxies find istiod.`,
		Fix:   `Attach the cluster again, which takes the gateway's address whatever its kind, and waits for it.`,
		judge: addressEmpty,
	}
}

// addressEmpty: Istio's charts make the Service by which a remote finds istiod only when they are told its address.
func addressEmpty(v view) []Result {
	return v.eachRemote(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		switch {
		case unreadable(seen, snapshot.IstiodServices) != nil:
			return needs("slice-missing")
		case v.findsIstiod(seen):
			return pass("there is a Service %s", v.istiodName())
		case unreadable(seen, snapshot.InstalledValues) != nil:
			return unreadable(seen, snapshot.InstalledValues)
		case !v.withoutAddress(seen):
			return needs("slice-missing")
		}
		return fail(v.attachForced(c), "the remote profile was installed with an empty remotePilotAddress, so there is no Service %s in %s: had the load balancer a hostname when its .ip was read?",
			v.istiodName(), v.mesh.Namespace)
	})
}

// findsIstiod is true for a remote that has the Service of the primary's istiod.
func (v view) findsIstiod(seen *snapshot.Cluster) bool {
	return slices.ContainsFunc(seen.IstiodServices, func(s snapshot.IstiodService) bool { return s.Name == v.istiodName() })
}

// withoutAddress is true for a remote that is known to have been installed without istiod's address.
func (v view) withoutAddress(seen *snapshot.Cluster) bool {
	installed, there := seen.Installed[v.mesh.RevisionLabel()]
	return there && installed.IstiodAddress == ""
}

func sliceMissingCheck() Check {
	return Check{
		ID: "slice-missing", Subject: OfLink, Category: Gateway,
		Title:  "the remote finds istiod at the gateway",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `In a remote the Service istiod has no pods behind it; an EndpointSlice, or an ExternalName, leads it to the gateway.
			Where that is missing or leads to an old address, neither the API server (injection) nor proxies find istiod (#58998,
			#24155). The gateway's address may have changed since the cluster was attached.`,
		Fix:   `Attach the cluster again, which writes the gateway's present address.`,
		judge: sliceMissing,
	}
}

func sliceMissing(v view) []Result {
	return v.eachRemote(v.orSecretMissing(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.IstiodServices); r != nil {
			return r
		}
		address := ""
		if p := v.seenHome(); p != nil {
			gateway, _ := p.Gateway(wellknown.EastWestGateway)
			address = gateway.Address
		}
		name := v.istiodName()
		for _, s := range seen.IstiodServices {
			switch {
			case s.Name != name:
				continue
			case address == "":
				return skip("the gateway has no address to compare with")
			case s.ExternalName == address || slices.Contains(s.Addresses, address):
				return pass("Service %s leads to %s", name, address)
			case s.ExternalName != "" || len(s.Addresses) > 0:
				return fail(v.attachForced(c), "Service %s in %s leads to %s%s, but the gateway's address is %s",
					name, v.mesh.Namespace, s.ExternalName, strings.Join(s.Addresses, ", "), address)
			}
			return fail(v.attach(c), "Service %s in %s has no endpoint: its EndpointSlice is missing", name, v.mesh.Namespace)
		}
		if v.withoutAddress(seen) {
			return needs("address-empty")
		}
		return fail(v.attach(c), "there is no Service %s in %s: proxies can't find istiod", name, v.mesh.Namespace)
	}))
}
