package observe

import (
	"context"
	"errors"
	"net"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/handshake"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addPorts makes the handshakes with istiod through the east-west gateway from here. What fails here says nothing of the
// gateway.
func addPorts(ctx context.Context, primary *cluster.Cluster, seen *snapshot.Cluster, t Target, found *findings) {
	handshakes, err := ToGateway(ctx, primary, seen, t)
	dials := make([]handshake.Dial, len(handshakes))
	for i, h := range handshakes {
		dials[i] = h.Dial
	}
	var made []handshake.Result
	if err == nil {
		made, err = handshake.MakeAll(ctx, dials)
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
		found.couldNot(ctx, t.Primary, snapshot.GatewayPortsPart, err)
		return
	}
	found.add(t.Primary, func(c *snapshot.Cluster) {
		for i, h := range handshakes {
			c.Ports = append(c.Ports, snapshot.Port{Number: h.port(), Connected: made[i].Connected, Error: made[i].Error, Trusted: h.Trusts(made[i].Chain)})
		}
	})
}

// hidesGateway is true for an error after which this machine can say nothing of the gateway. That it does not know the gateway's
// name, or gets no word on it, is like a gateway that does not answer here: the remotes may know it.
func hidesGateway(err error) bool {
	_, ofDNS := errors.AsType[*net.DNSError](err)
	return cluster.OfThisMachine(err) && !ofDNS
}
