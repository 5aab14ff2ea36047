package app

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// gate judges what must hold before a command writes: its error is a RefusedError.
func (s Session) gate(subcommand string, st *state) error {
	causes := refusing(check.Judge(subcommand, st.mesh, st.snapshot, s.charts(), s.Caller))
	if causes == nil {
		return nil
	}
	return &RefusedError{causes}
}

// refusing are the results for which a command does not write. What could not be looked at matters only where nothing
// worse is known of the cluster, such as a lacking permission. That a cluster does not answer always does.
func refusing(results []check.Result) []check.Result {
	failed := map[string]bool{}
	for _, r := range results {
		failed[r.Cluster] = failed[r.Cluster] || r.Status == check.Fail
	}
	var causes []check.Result
	for _, r := range results {
		if r.Status == check.Fail || r.Status == check.Unknown && (!failed[r.Cluster] || r.ID == "reachable") {
			causes = append(causes, r)
		}
	}
	return causes
}
