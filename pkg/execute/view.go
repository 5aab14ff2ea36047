package execute

import (
	"context"
	"fmt"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// view is what one istiod replica says of a remote.
type view struct {
	pod string
	// status is istiod's word for the remote, empty where it does not list it.
	status string
	// err says why the replica could not be asked.
	err error
}

// prospect is what will come of waiting on, as far as istiod tells.
type prospect int

const (
	// coming: istiod works on it.
	coming prospect = iota
	// stopped: istiod no longer watches the cluster, and does not process remote secrets.
	stopped
	// late: istiod has not yet done what a remote secret, or the lack of one, tells it.
	late
	// unread: istiod has asked the remote's API server in vain. It goes on asking.
	unread
)

// patience is how long it may last before something is done about it; zero is for ever.
func (p prospect) patience() time.Duration {
	switch p {
	case stopped: // Istio 1.29 stays so; releases that do not have gone on after a moment
		return 10 * time.Second
	case late:
		// A second, as a rule. But an istiod that lets go of a cluster whose address drops packets first waits for the
		// end of a call to it: 30 seconds.
		return 35 * time.Second
	case unread: // it says so after 30 seconds of trying, unless PILOT_REMOTE_CLUSTER_TIMEOUT is another
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
	for i := range pods {
		clusters, err := istio.Clusterz(ctx, c, &pods[i])
		views[i] = view{pod: pods[i].Name, status: clusters.Status(remote), err: err}
	}
	return views, nil
}

// outlook is a look at istiod that also tells what will come of waiting on.
type outlook func(ctx context.Context) (done bool, seen string, what prospect, err error)

func (e *Executor) outlook(c *cluster.Cluster, remote string, judge func([]view) (bool, string, prospect)) outlook {
	return func(ctx context.Context) (bool, string, prospect, error) {
		views, err := e.views(ctx, c, remote)
		if err != nil {
			return false, "", coming, err
		}
		done, seen, what := judge(views)
		return done, seen, what, nil
	}
}

// orBack waits until no replica knows the remote any more, or the remote has a secret again: then istiod may have been told
// of it anew before anybody saw that it had forgotten it.
func (e *Executor) orBack(c *cluster.Cluster, remote string, look outlook) outlook {
	return func(ctx context.Context) (bool, string, prospect, error) {
		done, seen, what, err := look(ctx)
		if done || err != nil {
			return done, seen, what, err
		}
		secret, err := e.secretOf(ctx, c, remote)
		if err == nil && secret != nil {
			return true, "its secret was created again by another run", coming, nil
		}
		return false, seen, what, err
	}
}

// synced judges whether every replica has read the remote.
func synced(views []view) (done bool, seen string, what prospect) {
	if len(views) == 0 {
		return false, "no istiod pod runs", coming
	}
	for _, v := range views {
		switch {
		case v.err != nil:
			return false, fmt.Sprintf("%s can't be asked: %v", v.pod, v.err), coming
		case v.status == "":
			return false, v.pod + " does not list it yet", late
		case v.status == snapshot.Closed:
			return false, v.pod + " says: closed, it has stopped watching the cluster", stopped
		case v.status == snapshot.TimedOut:
			return false, v.pod + " says: timeout, it could not read the cluster yet", unread
		case v.status != istio.Synced:
			return false, fmt.Sprintf("%s says: %s", v.pod, v.status), coming
		}
	}
	if len(views) == 1 {
		return true, "synced", coming
	}
	return true, fmt.Sprintf("synced, all %d replicas", len(views)), coming
}

// forgotten judges whether no replica knows the remote any more.
func forgotten(views []view) (done bool, seen string, what prospect) {
	for _, v := range views {
		switch {
		case v.err != nil:
			return false, fmt.Sprintf("%s can't be asked: %v", v.pod, v.err), coming
		case v.status == snapshot.Closed:
			return false, v.pod + " still has it: closed", stopped
		case v.status != "":
			return false, fmt.Sprintf("%s still has it: %s", v.pod, v.status), late
		}
	}
	return true, "forgotten", coming
}
