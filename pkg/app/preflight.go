package app

import (
	"cmp"
	"context"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// Preflight asks whether clusters can become a mesh.
type Preflight struct {
	// Remotes are the clusters that are to be remotes, each CONTEXT or NAME=CONTEXT.
	Remotes []string
	// Servers are the addresses by which the primary is to reach their API servers, as of AttachRemote.
	Servers []string
}

// Preflight looks at clusters that are to become a mesh, and judges them.
func (s Session) Preflight(ctx context.Context, request Preflight) (Verdict, error) {
	m, err := s.newMesh(request.Remotes)
	if err != nil {
		return Verdict{}, err
	}
	if err := addServers(m.Clusters, request.Servers); err != nil {
		return Verdict{}, err
	}
	st, err := s.look(ctx, m, scope{stages: []plan.Stage{plan.InstallPrimary, plan.ExposeIstiod, plan.AttachRemote}, obstacles: true})
	if err != nil {
		return Verdict{}, err
	}
	if seen := st.primary(); seen != nil && len(seen.ControlPlanes) == 0 {
		// As install-primary would name it, which wants --cluster-name where the context has nothing that a name is made of.
		st.mesh.Clusters[0].Name = cmp.Or(mesh.ClusterName(st.mesh.Clusters[0].Context), "primary")
	}
	if _, err := st.complete(); err != nil {
		return Verdict{}, err
	}
	st.snapshot = observe.Clocks(ctx, st.clusters, st.snapshot)
	if err := cancelled(ctx); err != nil {
		return Verdict{}, err
	}
	return Verdict{Results: check.Preflight(st.mesh, st.snapshot, s.charts(), s.Caller)}, nil
}
