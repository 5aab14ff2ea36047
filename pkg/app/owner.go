package app

import (
	"context"
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// findOwner looks for a context of the primary whose remote the cluster of --context is, if it is one: among the clusters
// that were looked at, and else among the contexts that are called as that primary is.
func (s Session) findOwner(ctx context.Context, st *state) error {
	seen := st.primary()
	if seen == nil {
		return nil
	}
	owner, _ := facts.RemoteOf(seen)
	if owner == "" {
		return nil
	}
	for _, c := range st.snapshot.Clusters {
		if c != seen && c.Context != "" && slices.ContainsFunc(c.ControlPlanes, func(p snapshot.ControlPlane) bool { return p.ClusterID == owner }) {
			st.snapshot = st.snapshot.WithPrimaries(map[string]string{owner: c.Context})
			return nil
		}
	}
	endpoints, err := cluster.Endpoints(s.Kubeconfig)
	if err != nil {
		return err
	}
	for _, e := range endpoints {
		if e.Context == seen.Context || e.Context != owner && mesh.ClusterName(e.Context) != owner {
			continue
		}
		c, err := cluster.Connect(s.Kubeconfig, owner, e.Context, false)
		if err != nil {
			continue // it is only a hint that is lost
		}
		if slices.Contains(observe.PrimaryNames(ctx, c, st.mesh.Namespace, hintTimeout), owner) {
			st.snapshot = st.snapshot.WithPrimaries(map[string]string{owner: e.Context})
			return nil
		}
	}
	return nil
}
