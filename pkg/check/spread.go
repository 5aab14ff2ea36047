package check

import (
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func spreadCheck() Check {
	return Check{
		ID: "spread", Subject: OfCalls, Category: Traffic,
		Title:  "a Service in all clusters is answered by all",
		Verify: true,
		Needs:  []string{"traffic"},
		Why: `A Service with endpoints in all clusters is one Service for its callers. Here calls to it failed, or (a warning) a
			cluster answered none of them. Locality load balancing or weights in a DestinationRule may want it so.`,
		Fix:   `If traffic passes, look for DestinationRules; otherwise fix that first.`,
		judge: spread,
	}
}

// spread: a Service with endpoints in all clusters is answered by all of them.
func spread(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	ready := map[string]bool{}
	for _, c := range v.snapshot.Traffic.Calls {
		ready[c.From] = true
	}
	var results []Result
	for _, from := range v.mesh.Clusters {
		for _, c := range v.calls(from.Name, "") {
			for _, r := range v.judgeSpread(c, ready) {
				r.Cluster = label(from)
				results = append(results, r)
			}
		}
	}
	return results
}

// judgeSpread judges the calls to the Service that is everywhere; ready are the clusters that should have answered.
func (v view) judgeSpread(c snapshot.Call, ready map[string]bool) []Result {
	switch facts.OutcomeOf([]snapshot.Call{c}).Kind {
	case facts.NotMade:
		return unknown(Fix{}, "no call to one Service in all clusters was made")
	case facts.Lost:
		return fail(advice("see traffic; if that passes, look at the sidecar's log of the caller"),
			"%d of %d calls to one Service in all clusters were answered: %s", c.Answered, c.Sent, c.Error)
	}
	var shares, silent []string
	for _, to := range v.mesh.Clusters {
		switch n := c.ByCluster[to.Name]; {
		case n > 0:
			shares = append(shares, fmt.Sprintf("%s %d", to.Name, n))
		case ready[to.Name]:
			silent = append(silent, to.Name)
		}
	}
	if len(silent) > 0 {
		return warn(advice("a locality or weight may want it so (DestinationRule); otherwise see traffic"),
			"of %d calls to one Service in all clusters none was answered by %s (%s)", c.Sent, strings.Join(silent, ", "), strings.Join(shares, ", "))
	}
	return pass("of %d calls to one Service in all clusters: %s", c.Sent, strings.Join(shares, ", "))
}
