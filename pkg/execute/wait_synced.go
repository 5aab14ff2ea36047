package execute

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// remoteWait waits for istiod's view of a remote, and restarts istiod where nothing else helps: Istio 1.29 can permanently
// stop processing remote secrets, when one changes or is deleted while its cluster is being read (istio/istio#59875).
type remoteWait struct {
	*Executor
	cluster *cluster.Cluster
	remote  string
	look    remoteCondition
	// last is true for the wait at whose end the lease on the remote's credentials is given back.
	last bool
	// allowed is false where istiod is not to be restarted.
	allowed bool
	// state was seen last, since then.
	state syncState
	since time.Time
	// rollout waits for the restarted istiod; nil before, and afterwards.
	rollout condition
	// leader waits for an istiod that leads in the remote after a restart; nil where that does not matter.
	leader condition
	// tried is true once istiod has been restarted, by whomever; wrote is true where this wait did it.
	tried, wrote bool
}

// untilSynced is the task of waiting until every istiod has read a remote.
func (e *Executor) untilSynced(c *cluster.Cluster, action plan.AwaitSynced) task {
	return &remoteWait{
		Executor: e, cluster: c, remote: action.Remote, allowed: action.Restart, last: true,
		look:   e.remoteCondition(c, action.Remote, synced),
		leader: (&leaderWait{Executor: e, primary: c, remote: e.Clusters[action.Remote]}).condition,
	}
}

// untilForgotten is the task of waiting until no istiod knows a remote.
func (e *Executor) untilForgotten(c *cluster.Cluster, action plan.AwaitForgotten) task {
	return &remoteWait{
		Executor: e, cluster: c, remote: action.Remote, allowed: action.Restart,
		look: e.orCreatedAgain(c, action.Remote, e.remoteCondition(c, action.Remote, forgotten)),
	}
}

func (r *remoteWait) do(ctx context.Context, w waiter) (run.Result, error) {
	seen, err := w.until(ctx, "istiod's view of "+r.remote, r.condition)
	if r.last {
		r.releases.Go(func() { r.release(ctx, r.remote) }) // no step waits for that
	}
	return run.Result{Detail: seen, Wrote: r.wrote}, err
}

// dryRun neither waits nor restarts istiod.
func (*remoteWait) dryRun(ctx context.Context, w waiter) (run.Result, error) {
	return waitTask{}.dryRun(ctx, w)
}

// condition looks once whether the wait is over.
func (r *remoteWait) condition(ctx context.Context) (done bool, seen string, err error) {
	if r.rollout != nil {
		done, seen, err := r.rollout(ctx)
		if !done || err != nil {
			return false, "istiod restarts: " + seen, err
		}
		r.rollout, r.state = nil, inProgress
	}
	done, seen, state, err := r.look(ctx)
	if err != nil {
		return false, "", err
	}
	if state != r.state {
		r.state, r.since = state, time.Now()
	}
	switch lasts := state.limit() > 0 && time.Since(r.since) >= state.limit(); {
	case done && r.leader != nil && r.wasRestarted(r.cluster):
		if leads, who, err := r.leader(ctx); !leads || err != nil {
			return false, seen + "; " + who, err
		}
		if !r.wrote {
			return true, seen, nil
		}
		fallthrough
	case done && r.wrote:
		return true, seen + ", after a restart of istiod", nil
	case lasts && state == unreachable:
		return false, seen, r.unreadable(ctx, seen)
	case lasts:
		return false, seen, r.restartOnce(ctx, fmt.Sprintf("%s (for %s)", seen, state.limit()))
	}
	return done, seen, nil
}

// restartOnce restarts istiod unless this run has done so already, or says why it can't.
func (r *remoteWait) restartOnce(ctx context.Context, seen string) error {
	hung := seen + ": istiod has stopped processing remote secrets, and only a restart helps"
	fix := fmt.Sprintf("\n  → %s", r.onIstiod(r.cluster, "rollout", "restart", "deployment", r.istiod()))
	switch {
	case !r.allowed:
		return permanentError{fmt.Errorf("%s; --restart-istiod=false was given%s", hung, fix)}
	case r.tried:
		return permanentError{fmt.Errorf("%s, though istiod has been restarted. Its log may say why:\n  → %s", seen, r.onIstiod(r.cluster, "logs", "deployment/"+r.istiod()))}
	}
	wrote, err := r.restart(ctx, r.cluster)
	r.wrote = r.wrote || wrote
	var refused *restartRefusedError
	if apierrors.IsForbidden(err) || errors.As(err, &refused) {
		return permanentError{fmt.Errorf("%s: %w%s", hung, err, fix)}
	}
	if err != nil {
		return err
	}
	r.tried = true
	r.rollout = r.rolledOut(r.cluster, r.istiod(), nil)
	return nil
}

// unreadable is the error of a remote whose API server does not answer istiod.
func (r *remoteWait) unreadable(ctx context.Context, seen string) error {
	server := "the address in its remote secret"
	if secret, err := r.cluster.Kube().CoreV1().Secrets(r.Mesh.Namespace).Get(ctx, istio.RemoteSecretName(r.remote), metav1.GetOptions{}); err == nil {
		if credentials, err := istio.ParseRemoteSecret(secret.Data[r.remote]); err == nil {
			server = credentials.Server
		}
	}
	return permanentError{fmt.Errorf("%s. Pods of %s get no answer from %s: is there a firewall between, or is that an address which only other machines can use? "+
		"Another one is given with --remote-server", seen, r.cluster.Name, server)}
}
