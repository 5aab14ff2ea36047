// Package execute carries out the steps of a plan on live clusters.
package execute

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// rendering returns a remote's objects, which are rendered at the first call.
type rendering func() ([]*unstructured.Unstructured, error)

// Executor carries out steps.
type Executor struct {
	// Mesh is the complete mesh.
	Mesh mesh.Mesh
	// Clusters are its clusters, by name.
	Clusters cluster.Set
	// Caller is how the user called, for commands that are shown.
	Caller command.Caller
	// Charts render Istio's objects.
	Charts istio.Charts
	// Settings are the charts with the settings of the clusters that have others, by name.
	Settings map[string]istio.Charts
	// ForceConflicts takes fields over from other field managers.
	ForceConflicts bool
	// Version is kubectl-mesh's own, recorded with what it applies.
	Version string
	// Holder names this run, and who runs it, in the leases that it takes.
	Holder string
	// DryRun keeps nothing of what is applied.
	DryRun apply.DryRun
	// Done, if set, is called with the result for each object that a step applied, concurrently.
	Done func(step plan.Step, result apply.Result)

	mu       sync.Mutex
	rendered map[istio.RemoteCluster]rendering
	// addresses are where primaries' istiods are reached from outside, by name.
	addresses map[string]func() (string, error)
	// releases are under way, of leases.
	releases sync.WaitGroup
	// leases are those that the run holds, by remote.
	leases map[string]*lease
	// restarting is locked while an istiod is being restarted; restarted are the clusters whose istiod was.
	restarting sync.Mutex
	restarted  map[string]bool
}

// Do carries out one step. It is a run.Do.
func (e *Executor) Do(ctx context.Context, step plan.Step, say func(string)) (run.Result, error) {
	c, found := e.Clusters[step.Cluster]
	if !found {
		return run.Result{}, fmt.Errorf("step %s is for cluster %q, which is not connected", step.ID, step.Cluster)
	}
	t := e.task(step, c)
	w := waiter{cluster: c, say: say}
	switch {
	case t == nil:
		return run.Result{}, fmt.Errorf("step %s: nothing carries out %T", step.ID, step.Action)
	case e.dry():
		return t.dryRun(ctx, w)
	}
	return t.do(ctx, w)
}

// task returns how a step is carried out on its cluster. It is the only code that distinguishes all actions.
func (e *Executor) task(step plan.Step, c *cluster.Cluster) task {
	namespace := e.Mesh.Namespace
	switch action := step.Action.(type) { // gochecksumtype reports an action that is missing here
	case plan.ApplyNamespace:
		return applies(e, step, action, e.namespace)
	case plan.ApplyControlPlane:
		return applies(e, step, action, e.controlPlane)
	case plan.ApplyGateway:
		return applies(e, step, action, e.gateway)
	case plan.ApplyExposure:
		return applies(e, step, action, e.exposure)
	case plan.ApplyCustomHosts:
		return applies(e, step, action, e.customHosts)
	case plan.ApplyRemote:
		return applies(e, step, action, e.remote)
	case plan.ApplyReaderToken:
		return applies(e, step, action, e.readerToken)
	case plan.ApplyRemoteSecret:
		return credentialsTask{applies(e, step, action, e.remoteSecret), action}

	case plan.DropRemoteSecrets:
		return changes(action, e.dropRemoteSecrets, fmt.Sprintf("%d would be deleted, and created again", len(action.Secrets)))
	case plan.DropRemoteProfile:
		return changes(action, e.dropRemoteProfile, "would be deleted")
	case plan.DeleteRemote:
		return changes(action, e.deleteRemote, "would be deleted")
	case plan.RestartIstiod:
		return changes(action, e.restartIstiod, "would be restarted")

	case plan.AwaitDeployment:
		return waitTask{"Deployment " + action.Name, e.rolledOut(c, action.Name, action.Discovery)}
	case plan.AwaitRestarted:
		return waitTask{"Deployment " + action.Name, (&restartWait{
			rollout: e.rolledOut(c, action.Name, nil), leader: (&leaderWait{Executor: e, primary: c, remote: c}).condition,
		}).condition}
	case plan.AwaitAddress:
		return waitTask{"address of Service " + wellknown.EastWestGateway, hasAddress(c, namespace)}
	case plan.AwaitToken:
		return waitTask{"token in Secret " + wellknown.ReaderTokenSecret, hasToken(c, namespace)}
	case plan.AwaitServed:
		return waitTask{"Istio's resources", serves(c, namespace)}
	case plan.AwaitCABundle:
		return waitTask{"certificate in the injector's webhooks", hasCABundle(c, e.Mesh.RevisionLabel())}
	case plan.AwaitRootCert:
		return waitTask{"ConfigMap " + wellknown.RootCertConfigMap, e.hasRootCert(c, action.Discovery)}
	case plan.AwaitInjection:
		return waitTask{"injection of a dry-run pod", injects(c, e.Mesh.Revision, action.Cluster)}
	case plan.AwaitSynced:
		return e.untilSynced(c, action)
	case plan.AwaitForgotten:
		return e.untilForgotten(c, action)
	}
	return nil
}

// dry is true when nothing is kept.
func (e *Executor) dry() bool { return e.DryRun != "" && e.DryRun != apply.DryRunNone }
