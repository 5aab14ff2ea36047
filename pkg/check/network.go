package check

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func networkLabelCheck() Check {
	return Check{
		ID: "network-label", Subject: OfCluster, Category: Network,
		Title:  "Istio's namespace carries its network",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `The label topology.istio.io/network of Istio's namespace says on which network the cluster's pods are. Where it is
			missing or wrong, istiod gives proxies the pods' own addresses across networks, or a gateway where none is needed
			(#42516, #49412).`,
		Fix:   `Set the label. istiod takes it up at once.`,
		judge: networkLabel,
	}
}

func networkLabel(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if c.Network == "" {
			return pass("no network is named")
		}
		if seen.Namespace == nil {
			return needs("annotation-missing") // the namespace is
		}
		has, wanted := seen.Namespace.Network, cmp.Or(v.podNetwork(seen), c.Network)
		if has == wanted {
			return pass("%s", has)
		}
		return fail(v.kubectl(c, "label", "--overwrite", "namespace", v.mesh.Namespace, wellknown.NetworkLabel+"="+wanted),
			"namespace %s has label topology.istio.io/network=%q, expected %q", v.mesh.Namespace, has, wanted)
	})
}

// podNetwork is the network that a remote's injector gives pods (/inject/cluster/NAME/net/NETWORK), if it does.
func (v view) podNetwork(seen *snapshot.Cluster) string {
	for _, i := range v.injectors(seen) {
		for _, path := range i.Paths {
			if _, network, found := strings.Cut(path, "/net/"); found {
				return network
			}
		}
	}
	return ""
}

func networkOverlapCheck() Check {
	return Check{
		ID: "network-overlap", Subject: OfNetwork, Category: Network,
		Title:  "pod ranges of one network do not overlap",
		Verify: true, Preflight: true,
		Needs: []string{"same-cluster", "name-duplicate", "reachable"},
		Why: `Two clusters are on one network by their labels, but give their pods the same addresses (#35077, #42144). Calls meant
			for a pod of one cluster then reach a pod of the other, or none.`,
		Fix: `Give the clusters other pod ranges, or networks of their own (--network) with a gateway in each: see
			network-unconnected.`,
		judge: networkOverlap,
	}
}

func networkOverlap(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Nodes); r != nil {
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
				return fail(advice("clusters whose pod ranges overlap need other pod ranges, or networks of their own with a gateway in each: see network-unconnected"),
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
