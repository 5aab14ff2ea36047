package check

import (
	"net/netip"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func networkOverlap(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Nodes); r != nil {
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

// maxSkew is the difference between clocks, in seconds, from which new certificates and tokens are refused.
const maxSkew = 30

func clockSkew(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.APIServer); r != nil {
			return r
		}
		primary, _ := v.mesh.Primary()
		p := v.snapshot.Clusters[primary.Name]
		if seen.Clock == nil || p == nil || p.Clock == nil {
			return skip("nobody told the time")
		}
		if apart := seen.Clock.Ahead - p.Clock.Ahead; apart > maxSkew || apart < -maxSkew {
			return fail(advice("let the nodes of %s follow a time server", c.Name),
				"the API server's clock is %d s apart from the primary's: certificates and tokens are not yet, or no longer, valid", apart)
		}
		return pass("the clocks agree")
	})
}
