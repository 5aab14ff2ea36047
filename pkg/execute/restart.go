package execute

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

func (e *Executor) istiod() string { return wellknown.Revisioned(wellknown.Istiod, e.Mesh.Revision) }

// onIstiod is a kubectl command on a cluster's Istio namespace, as the user would type it.
func (e *Executor) onIstiod(c *cluster.Cluster, args ...string) command.Command {
	return e.kubectl(c, append([]string{"-n", e.Mesh.Namespace}, args...)...)
}

// kubectl is a kubectl command on a cluster, as the user would type it.
func (e *Executor) kubectl(c *cluster.Cluster, args ...string) command.Command {
	named, _ := e.Mesh.Primary()
	for _, m := range e.Mesh.Clusters {
		if m.Name == c.Name {
			named = m
		}
	}
	return e.Caller.Kubectl(named, args...)
}

// restartRefusedError says why istiod is not restarted without being asked for.
type restartRefusedError struct{ reason string }

// Error is the reason.
func (e *restartRefusedError) Error() string { return e.reason }

// restartIstiod carries plan.RestartIstiod out.
func (e *Executor) restartIstiod(ctx context.Context, w waiter, _ plan.RestartIstiod) (run.Result, error) {
	_, err := e.restart(ctx, w.cluster)
	return run.Result{Detail: "restarting", Wrote: err == nil}, err
}

// wasRestarted is true once this run has restarted a primary's istiod.
func (e *Executor) wasRestarted(c *cluster.Cluster) bool {
	e.restarting.Lock()
	defer e.restarting.Unlock()
	return e.restarted[c.Name]
}

// restart does what kubectl rollout restart does, with kubectl's field manager, since the Deployment may be another tool's.
// It does so once in a run.
func (e *Executor) restart(ctx context.Context, c *cluster.Cluster) (wrote bool, err error) {
	e.restarting.Lock()
	defer e.restarting.Unlock()
	if e.restarted[c.Name] {
		return false, nil
	}
	deployments := c.Kube().AppsV1().Deployments(e.Mesh.Namespace)
	deployment, err := deployments.Get(ctx, e.istiod(), metav1.GetOptions{})
	switch {
	case err != nil:
		return false, fmt.Errorf("cluster %s: Deployment %s in %s: %w", c.Name, e.istiod(), e.Mesh.Namespace, err)
	case deployment.Spec.Paused:
		return false, &restartRefusedError{fmt.Sprintf("Deployment %s in %s is paused (kubectl rollout resume)", e.istiod(), e.Mesh.Namespace)}
	case deployment.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType:
		return false, &restartRefusedError{fmt.Sprintf("Deployment %s in %s has the strategy Recreate, so that no istiod would run for a moment", e.istiod(), e.Mesh.Namespace)}
	}
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339))
	_, err = deployments.Patch(ctx, e.istiod(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-rollout"})
	if err != nil {
		return false, fmt.Errorf("cluster %s: Deployment %s in %s: %w", c.Name, e.istiod(), e.Mesh.Namespace, err)
	}
	if e.restarted == nil {
		e.restarted = map[string]bool{}
	}
	e.restarted[c.Name] = true
	return true, nil
}
