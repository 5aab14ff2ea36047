package probe

import (
	"context"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
)

// callGateway makes the handshakes with istiod through the east-west gateway from here. What fails here says nothing of the
// gateway.
func callGateway(ctx context.Context, primary *cluster.Cluster, seen *observe.Cluster, t Target, note notes) {
	handshakes, err := toGateway(ctx, primary, seen, t)
	dials := make([]echo.Dial, len(handshakes))
	for i, h := range handshakes {
		dials[i] = h.Dial
	}
	var made []echo.Dialled
	if err == nil {
		made, err = echo.DialAll(ctx, dials)
	}
	for _, d := range made {
		if cluster.OfThisMachine(d.Cause) {
			err = d.Cause
		}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		note(seen, observe.GatewayPortsPart, err)
		return
	}
	for i, h := range handshakes {
		seen.Ports = append(seen.Ports, observe.Port{Number: h.port(), Connected: made[i].Connected, Error: made[i].Error, Trusted: h.trusts(made[i].Chain)})
	}
}
