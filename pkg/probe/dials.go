package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/handshake"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/retry"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// ownAPIServer is what any pod may be expected to reach: one that does not has no network to tell of.
const ownAPIServer = "kubernetes.default.svc:443"

// wanted are the handshakes by the cluster whose pods make them: remotes call the gateway, the primary calls the
// remotes' API servers.
func (r *runner) wanted(ctx context.Context) map[string][]observe.Handshake {
	dials := map[string][]observe.Handshake{}
	primary, seen := r.clusters[r.Primary], r.seen.Clusters[r.Primary]
	if primary == nil || seen == nil {
		return dials
	}
	gateway, _ := observe.ToGateway(ctx, primary, seen, r.Target)
	for _, name := range r.Clusters {
		if name == r.Primary {
			dials[name] = observe.ToAPIServers(ctx, primary, r.Target)
		} else {
			dials[name] = gateway
		}
	}
	return dials
}

// dialFrom makes the handshakes from a pod of a cluster. Where they show that no sidecar can become ready there, the
// error says why.
func (r *runner) dialFrom(ctx context.Context, name string, c *cluster.Cluster, handshakes []observe.Handshake) (noSidecar error) {
	if len(handshakes) == 0 {
		return nil
	}
	made, err := r.dial(ctx, c, name, handshakes)
	switch {
	case errors.As(err, &unpullable{}): // the other pod has the same image
		noSidecar = err
	case err == nil:
		noSidecar = cutOff(made)
		err = noSidecar
	}
	if err != nil {
		r.note(func(t *snapshot.Traffic) { t.Undialled[name] = err.Error() })
		return noSidecar
	}
	var dials []snapshot.Dial
	for i, h := range handshakes {
		result := made[1+i]
		d := snapshot.Dial{
			From: name, To: h.To, Purpose: h.Purpose, Address: h.Address,
			Connected: result.Connected, Error: result.Error, Trusted: h.Trusts(result.Chain),
		}
		if d.Purpose == snapshot.ToIstiod && !d.Trusted {
			noSidecar = errShutOut
		}
		dials = append(dials, d)
	}
	r.note(func(t *snapshot.Traffic) { t.Dials = append(t.Dials, dials...) })
	return noSidecar
}

// dial starts the pod and asks it for a handshake with its own API server, and for those that are wanted.
func (r *runner) dial(ctx context.Context, c *cluster.Cluster, name string, handshakes []observe.Handshake) ([]handshake.Result, error) {
	ns := r.traffic.Namespace
	err := create(ctx, func(ctx context.Context) error {
		_, err := c.Kube().CoreV1().Pods(ns).Create(ctx, r.dialler(name), metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create a pod without a sidecar: %w", err)
	}
	if err := r.awaitReady(ctx, c, diallerName); err != nil {
		return nil, err
	}
	dials := []handshake.Dial{{Address: ownAPIServer}}
	for _, h := range handshakes {
		dials = append(dials, h.Dial)
	}
	var body []byte
	// The pod is ready before the program in it listens: only it itself can reach the port for its control.
	notListening := func(err error) bool {
		_, unopened := errors.AsType[*istio.ForwardError](err)
		return !unopened && ctx.Err() == nil
	}
	err = retry.OnError(ctx, wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 6}, notListening, func() (err error) {
		body, err = istio.Post(ctx, c, ns, diallerName, echo.PathDial, echo.PortControl, dials)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", r.Image, err)
	}
	var made []handshake.Result
	if err := json.Unmarshal(body, &made); err != nil || len(made) != len(dials) {
		return nil, fmt.Errorf("the probe answered something else than %d handshakes: %.80q", len(dials), body)
	}
	return made, nil
}

// cutOff is an error where no handshake came about, not even with the pod's own API server, which is the first.
func cutOff(made []handshake.Result) error {
	for _, d := range made {
		if d.Error == "" {
			return nil
		}
	}
	return fmt.Errorf("pods of the new namespace reach nothing, not even their own API server (%s: %s): does a NetworkPolicy stand around new namespaces?",
		made[0].Address, made[0].Error)
}
