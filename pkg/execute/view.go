package execute

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// view is what one istiod replica says of a remote.
type view struct {
	pod string
	// status is istiod's word for the remote, empty where it does not list it.
	status string
	// err says why the replica could not be asked.
	err error
}

// syncState is how far istiod is with a remote, or with forgetting it.
type syncState int

const (
	// inProgress: istiod works on it.
	inProgress syncState = iota
	// stoppedWatching: istiod no longer watches the cluster, and does not process remote secrets.
	stoppedWatching
	// overdue: istiod has not yet done what a remote secret, or its deletion, asks for.
	overdue
	// unreachable: the remote's API server has not answered istiod, which goes on asking.
	unreachable
)

// limit is how long a state may last before something is done about it; zero is for ever.
func (s syncState) limit() time.Duration {
	switch s {
	case stoppedWatching: // Istio 1.29 stays so; releases that do not have gone on after a moment
		return 10 * time.Second
	case overdue:
		// A second, as a rule. But an istiod that stops watching a cluster whose address drops packets first waits for the
		// end of a call to it: 30 seconds.
		return 35 * time.Second
	case unreachable: // it says so after 30 seconds of trying, unless PILOT_REMOTE_CLUSTER_TIMEOUT is another
		return 20 * time.Second
	}
	return 0
}

// views asks every replica what it says of the remote.
func (e *Executor) views(ctx context.Context, c *cluster.Cluster, remote string) ([]view, error) {
	pods, err := istio.IstiodPods(ctx, c, e.Mesh.Namespace, e.Mesh.RevisionLabel())
	if err != nil {
		return nil, err
	}
	views := make([]view, len(pods))
	var asked sync.WaitGroup
	for i := range pods {
		asked.Go(func() {
			clusters, err := istio.Clusterz(ctx, c, &pods[i])
			views[i] = view{pod: pods[i].Name, status: clusters.Status(remote), err: err}
		})
	}
	asked.Wait()
	return views, nil
}

// remoteCondition is a condition that also says how far istiod is with the remote.
type remoteCondition func(ctx context.Context) (done bool, seen string, state syncState, err error)

func (e *Executor) remoteCondition(c *cluster.Cluster, remote string, judge func([]view) (bool, string, syncState)) remoteCondition {
	return func(ctx context.Context) (bool, string, syncState, error) {
		views, err := e.views(ctx, c, remote)
		if err != nil {
			return false, "", inProgress, err
		}
		done, seen, state := judge(views)
		return done, seen, state, nil
	}
}

// orCreatedAgain waits until no replica knows the remote any more, or the remote has a secret again: then istiod
// may watch it again before anybody saw that it had forgotten it.
func (e *Executor) orCreatedAgain(c *cluster.Cluster, remote string, look remoteCondition) remoteCondition {
	return func(ctx context.Context) (bool, string, syncState, error) {
		done, seen, state, err := look(ctx)
		if done || err != nil {
			return done, seen, state, err
		}
		secret, err := e.secretOf(ctx, c, remote)
		if err == nil && secret != nil {
			return true, "its secret was created again by another run", inProgress, nil
		}
		return false, seen, state, err
	}
}

// synced judges whether every replica has read the remote.
func synced(views []view) (done bool, seen string, state syncState) {
	if len(views) == 0 {
		return false, "no istiod pod runs", inProgress
	}
	for _, v := range views {
		if v.err != nil {
			return false, fmt.Sprintf("%s can't be asked: %v", v.pod, v.err), inProgress
		}
		switch facts.SyncOfStatus(v.status) {
		case facts.Synced:
		case facts.NotListed:
			return false, v.pod + " does not list it yet", overdue
		case facts.GivenUp:
			return false, v.pod + " says: closed, it has stopped watching the cluster", stoppedWatching
		case facts.TimedOut:
			return false, v.pod + " says: timeout, it could not read the cluster yet", unreachable
		default:
			return false, fmt.Sprintf("%s says: %s", v.pod, v.status), inProgress
		}
	}
	if len(views) == 1 {
		return true, "synced", inProgress
	}
	return true, fmt.Sprintf("synced, all %d replicas", len(views)), inProgress
}

// forgotten judges whether no replica knows the remote any more.
func forgotten(views []view) (done bool, seen string, state syncState) {
	for _, v := range views {
		if v.err != nil {
			return false, fmt.Sprintf("%s can't be asked: %v", v.pod, v.err), inProgress
		}
		switch facts.SyncOfStatus(v.status) {
		case facts.NotListed:
		case facts.GivenUp:
			return false, v.pod + " still has it: closed", stoppedWatching
		default:
			return false, fmt.Sprintf("%s still has it: %s", v.pod, v.status), overdue
		}
	}
	return true, "forgotten", inProgress
}
