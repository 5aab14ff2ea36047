package app

import (
	"context"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// Status looks at a finished mesh as Verify does, and sums it up. remotes are those to look at, each CONTEXT or
// NAME=CONTEXT; none are all that the primary knows.
func (s Session) Status(ctx context.Context, remotes []string) (status.Mesh, error) {
	st, err := s.lookAtMesh(ctx, remotes, nil)
	if err != nil {
		return status.Mesh{}, err
	}
	return status.Of(st.mesh, st.snapshot, check.Verify(st.mesh, st.snapshot, s.charts(), s.Caller)), nil
}
