package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func clockSkewCheck() Check {
	return Check{
		ID: "clock-skew", Subject: OfCluster, Category: Clusters,
		Title:  "the clocks agree",
		Verify: true, Preflight: true,
		Needs: []string{"reachable"},
		Why: `The API servers' clocks differ by more than half a minute. Certificates and tokens that one side has just made are not
			valid yet on the other, so handshakes and logins fail for a while, or always.`,
		Fix:   `Let all nodes follow a time server.`,
		judge: clockSkew,
	}
}

// maxSkew is the difference between clocks, in seconds, from which new certificates and tokens are refused.
const maxSkew = 30

func clockSkew(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.APIServer); r != nil {
			return r
		}
		p := v.seenHome()
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
