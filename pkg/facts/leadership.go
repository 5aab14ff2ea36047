package facts

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Owners are the primaries that a cluster's namespace names in the annotation topology.istio.io/controlPlaneClusters.
func Owners(seen *snapshot.Cluster) []string {
	if seen.Namespace == nil || seen.Namespace.ControlPlaneClusters == "" {
		return nil
	}
	return strings.Split(seen.Namespace.ControlPlaneClusters, ",")
}

// MayLead is true for a primary that the annotation names, or lets in with all others.
func MayLead(seen *snapshot.Cluster, primary string) bool {
	owners := Owners(seen)
	return slices.Contains(owners, primary) || slices.Contains(owners, "*")
}

// Leads is true where istiod of a primary has done in a remote everything that it does where it leads. It decides once whether
// it does, when it is told of the cluster.
func Leads(home, remote *snapshot.Cluster, primary, revision string) bool {
	if !MayLead(remote, primary) {
		return false
	}
	roots := home.Roots(revision)
	foreign := func(bundle string) bool { return bundle == "" || len(roots) > 0 && !slices.Contains(roots, bundle) }
	for _, injector := range remote.Injectors {
		if injector.Revision == revision && slices.ContainsFunc(injector.CABundles, foreign) {
			return false // where it leads it sets that right at once
		}
	}
	plane, _ := home.ControlPlane(revision)
	_, unread := remote.CouldNotRead(snapshot.RootCertificate)
	// It writes that wherever it leads and looks.
	return remote.RootCert != "" || unread || !plane.DiscoverySelectors.Select(remote.Namespace.Labels)
}

// HasWritten is true where an istiod has written anything in a remote that it writes only where it leads.
func HasWritten(remote *snapshot.Cluster, revision string) bool {
	for _, injector := range remote.Injectors {
		if injector.Revision == revision && slices.ContainsFunc(injector.CABundles, func(bundle string) bool { return bundle != "" }) {
			return true
		}
	}
	return remote.RootCert != "" || len(remote.RootCerts) > 0
}
