package probe

import (
	"context"
	"errors"
	"net"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// callGateway makes the handshakes with istiod through the east-west gateway from here. What fails here says nothing of the
// gateway.
func callGateway(ctx context.Context, primary *cluster.Cluster, seen *snapshot.Cluster, t Target, note notes) {
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
		if hidesGateway(d.Cause) {
			err = d.Cause
		}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		note(seen, snapshot.GatewayPortsPart, err)
		return
	}
	for i, h := range handshakes {
		seen.Ports = append(seen.Ports, snapshot.Port{Number: h.port(), Connected: made[i].Connected, Error: made[i].Error, Trusted: h.trusts(made[i].Chain)})
	}
}

// hidesGateway is true for an error after which this machine can say nothing of the gateway. That it does not know the gateway's
// name, or gets no word on it, is like a gateway that does not answer here: the remotes may know it.
func hidesGateway(err error) bool {
	_, ofDNS := errors.AsType[*net.DNSError](err)
	return cluster.OfThisMachine(err) && !ofDNS
}
