package app

import (
	"context"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// ExposeIstiod asks for a gateway through which other clusters reach the primary's istiod.
type ExposeIstiod struct {
	Gateway plan.GatewayOptions
}

// PrepareExpose looks at the primary, and plans what publishes its istiod.
func (s Session) PrepareExpose(ctx context.Context, request ExposeIstiod) (*Prepared, error) {
	if err := s.Settings.Charts.Validate(); err != nil {
		return nil, usage("%w", err)
	}
	m, err := s.newMesh(nil)
	if err != nil {
		return nil, err
	}
	m.Clusters[0].Gateway = request.Gateway.Address
	st, err := s.look(ctx, m, scope{stages: []plan.Stage{plan.ExposeIstiod}})
	if err != nil {
		return nil, err
	}
	if _, err := st.complete(); err != nil {
		return nil, err
	}
	if err := s.gate(check.BeforeExpose, st); err != nil {
		return nil, err
	}
	charts, kept, err := s.keepAll(ctx, st, mesh.Primary, istio.EastWestSet)
	if err != nil {
		return nil, err
	}
	options := plan.Options{Gateway: request.Gateway, Wait: s.Write.Wait}
	steps := plan.Slice(plan.Build(st.mesh, st.snapshot, options), plan.ExposeIstiod)
	return s.prepare(st, steps, charts, kept), nil
}

// Gateway looks at the primary's east-west gateway as it is now.
func (s Session) Gateway(ctx context.Context, m mesh.Mesh) (snapshot.Gateway, error) {
	st, err := s.look(ctx, m, scope{})
	if err != nil {
		return snapshot.Gateway{}, err
	}
	gateway, _ := st.primary().Gateway(wellknown.EastWestGateway)
	return gateway, nil
}
