package probe

import (
	"context"
	"sync"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
)

// callGateway makes the handshakes with istiod through the east-west gateway from here.
func callGateway(ctx context.Context, primary *cluster.Cluster, seen *observe.Cluster, t Target) {
	handshakes := toGateway(ctx, primary, seen, t)
	ports := make([]observe.Port, len(handshakes))
	var called sync.WaitGroup
	for i, h := range handshakes {
		called.Go(func() {
			result := echo.Handshake(ctx, h.Dial)
			ports[i] = observe.Port{Number: h.port(), Connected: result.Connected, Error: result.Error, Trusted: h.trusts(result.Chain)}
		})
	}
	called.Wait()
	if ctx.Err() == nil { // else the command's own time has ended, which says nothing of the gateway
		seen.Ports = ports
	}
}
