package check

import (
	"cmp"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Judge asks the checks that a command asks: one that writes, verify, or preflight. The commands of the fixes carry along what the
// caller's had.
func Judge(subcommand string, m mesh.Mesh, s *snapshot.Snapshot, charts Charts, caller command.Caller) []Result {
	return judge(For(subcommand), viewsOf(m, view{snapshot: s, charts: charts, asker: askerOf(subcommand), caller: caller}))
}

// Verify judges a finished mesh.
func Verify(m mesh.Mesh, s *snapshot.Snapshot, charts Charts, caller command.Caller) []Result {
	return Judge(AskedByVerify, m, s, charts, caller)
}

// Preflight judges clusters before anything is written to them.
func Preflight(m mesh.Mesh, s *snapshot.Snapshot, charts Charts, caller command.Caller) []Result {
	return Judge(AskedByPreflight, m, s, charts, caller)
}

// judge asks the checks in order, each as every control plane sees the mesh; what is about clusters alone is asked once. Where a
// check that another needs has failed, that other is skipped, and so is one that could not look for a reason that another has
// given: one cause is named once.
func judge(checks []Check, views []view) []Result {
	j := judging{failedChecks: map[failedCheck]bool{}, firstWith: map[string]string{}}
	for _, c := range checks {
		if !c.Subject.perControlPlane() || len(views) == 1 {
			j.ask(c, views[0], "")
			continue
		}
		for _, v := range views {
			j.ask(c, v, v.home.Name)
		}
	}
	return j.results
}

// judging is what the checks have come to so far.
type judging struct {
	results []Result
	// failedChecks are the checks that stand in the way of those that need them.
	failedChecks map[failedCheck]bool
	// firstWith is the first check that could not look for a reason, by cluster and reason.
	firstWith map[string]string
}

// failedCheck is a check of a cluster that did not pass. controlPlane is empty for one that is about clusters alone.
type failedCheck struct{ id, cluster, controlPlane string }

// ask asks one check of one view. controlPlane names the view where there are several.
func (j *judging) ask(c Check, v view, controlPlane string) {
	judgement := c.judge
	if !v.asker.finished && c.judgeBefore != nil {
		judgement = c.judgeBefore
	}
	for _, r := range judgement(v) {
		if need := j.inTheWay(c, r, v, controlPlane); need != "" && r.Status != Pass {
			r = r.skippedFor(need)
		}
		if reason := r.Cluster + "/" + cmp.Or(r.cause, r.Seen); r.Status == Unknown {
			if first := j.firstWith[reason]; first != "" && first != c.ID {
				r = r.skippedFor(first)
			} else {
				j.firstWith[reason] = c.ID
			}
		}
		r.ID, r.Subject, r.Category, r.Title, r.Docs = c.ID, c.Subject, c.Category, c.Title, c.Docs
		r.ControlPlane = controlPlane
		if c.Subject == OfNetwork {
			r.Network = v.networkOf(r.Cluster)
		}
		r.Fix = v.withMissingContexts(r.Fix)
		// A check that had nothing to judge does not stand in the way of those that need it.
		if r.Status == Fail || r.Status == Unknown || r.Needs != "" {
			j.failedChecks[failedCheck{c.ID, r.Cluster, controlPlane}] = true
		}
		j.results = append(j.results, r)
	}
}

// skippedFor is what remains of a result where another check stands in its way.
func (r Result) skippedFor(need string) Result {
	skipped := needs(need)[0]
	skipped.Cluster, skipped.To = r.Cluster, r.To
	return skipped
}

// inTheWay is the last of the checks that a result needs which did not pass, of its own cluster or of the control plane's; empty
// where all of them did.
func (j *judging) inTheWay(c Check, r Result, v view, controlPlane string) string {
	var last string
	for _, need := range c.Needs {
		if j.failed(need, r.Cluster, controlPlane) {
			last = need
		}
	}
	for _, need := range c.NeedsOfPrimary {
		if r.Cluster != label(v.home) && j.failed(need, label(v.home), controlPlane) {
			last = need
		}
	}
	return last
}

// failed is true for a check of a cluster that did not pass: as the same control plane sees it, or for all. What is about clusters
// alone needs that no control plane sees it fail.
func (j *judging) failed(id, cluster, controlPlane string) bool {
	if controlPlane != "" {
		return j.failedChecks[failedCheck{id, cluster, controlPlane}] || j.failedChecks[failedCheck{id, cluster, ""}]
	}
	for o := range j.failedChecks {
		if o.id == id && o.cluster == cluster {
			return true
		}
	}
	return false
}

// networkOf is the network of a cluster that a result names.
func (v view) networkOf(cluster string) string {
	i := slices.IndexFunc(v.mesh.Clusters, func(c mesh.Cluster) bool { return label(c) == cluster })
	if i < 0 {
		return ""
	}
	return v.mesh.Clusters[i].Network
}
