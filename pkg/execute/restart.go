package execute

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// rescue is a wait for istiod's view of a remote, in which istiod is restarted where that alone helps: Istio 1.29 can
// permanently stop processing remote secrets, when one changes or goes while its cluster is being read
// (istio/istio#59875).
type rescue struct {
	*Executor
	cluster *cluster.Cluster
	remote  string
	look    outlook
	// allowed is false where istiod is not to be restarted.
	allowed bool
	// what was seen last, and since when.
	what  prospect
	since time.Time
	// rollout waits for the restarted istiod; nil before, and afterwards.
	rollout condition
	// leader waits for the one that leads in the remote after a restart; nil where nobody is to lead there.
	leader condition
	// tried is true once istiod has been restarted, by whomever; wrote is true where this wait did it.
	tried, wrote bool
}

// condition is a condition.
func (r *rescue) condition(ctx context.Context) (done bool, seen string, err error) {
	if r.rollout != nil {
		done, seen, err := r.rollout(ctx)
		if !done || err != nil {
			return false, "istiod restarts: " + seen, err
		}
		r.rollout, r.what = nil, coming
	}
	done, seen, what, err := r.look(ctx)
	if err != nil {
		return false, "", err
	}
	if what != r.what {
		r.what, r.since = what, time.Now()
	}
	switch lasts := what.patience() > 0 && time.Since(r.since) >= what.patience(); {
	case done && r.leader != nil && r.wasRestarted():
		if leads, who, err := r.leader(ctx); !leads || err != nil {
			return false, seen + "; " + who, err
		}
		if !r.wrote {
			return true, seen, nil
		}
		fallthrough
	case done && r.wrote:
		return true, seen + ", after a restart of istiod", nil
	case lasts && what == unread:
		return false, seen, r.unreadable(ctx, seen)
	case lasts:
		return false, seen, r.restartOnce(ctx, fmt.Sprintf("%s (for %s)", seen, what.patience()))
	}
	return done, seen, nil
}

// restartOnce restarts istiod unless this run has done so already, or says why it can't.
func (r *rescue) restartOnce(ctx context.Context, seen string) error {
	stopped := seen + ": istiod has stopped processing remote secrets, and only a restart helps"
	fix := fmt.Sprintf("\n  → %s", r.onIstiod("rollout", "restart", "deployment", r.istiod()))
	switch {
	case !r.allowed:
		return hopeless{fmt.Errorf("%s; --restart-istiod=false was given%s", stopped, fix)}
	case r.tried:
		return hopeless{fmt.Errorf("%s, though istiod has been restarted. Its log may say why:\n  → %s", seen, r.onIstiod("logs", "deployment/"+r.istiod()))}
	}
	wrote, err := r.restart(ctx, r.cluster)
	r.wrote = r.wrote || wrote
	var refused *restartRefusedError
	if apierrors.IsForbidden(err) || errors.As(err, &refused) {
		return hopeless{fmt.Errorf("%s: %w%s", stopped, err, fix)}
	}
	if err != nil {
		return err
	}
	r.tried = true
	r.rollout = r.rolledOut(r.cluster, r.istiod(), nil)
	return nil
}

// unreadable is the error of a remote that istiod asks in vain.
func (r *rescue) unreadable(ctx context.Context, seen string) error {
	server := "the address in its remote secret"
	if secret, err := r.cluster.Kube().CoreV1().Secrets(r.Mesh.Namespace).Get(ctx, istio.RemoteSecretName(r.remote), metav1.GetOptions{}); err == nil {
		if credentials, err := istio.ParseRemoteSecret(secret.Data[r.remote]); err == nil {
			server = credentials.Server
		}
	}
	return hopeless{fmt.Errorf("%s. Pods of %s get no answer from %s: is there a firewall between, or is that an address which only other machines can use? "+
		"Another one is given with --remote-server", seen, r.cluster.Name, server)}
}

func (e *Executor) istiod() string { return wellknown.Revisioned(wellknown.Istiod, e.Mesh.Revision) }

// onIstiod is a kubectl command on the primary's Istio namespace, as the user would type it.
func (e *Executor) onIstiod(args ...string) command.Command {
	primary, _ := e.Mesh.Primary()
	return e.Caller.Kubectl(primary, append([]string{"-n", e.Mesh.Namespace}, args...)...)
}

// restartRefusedError says why istiod is not restarted without being asked for.
type restartRefusedError struct{ reason string }

// Error is the reason.
func (e *restartRefusedError) Error() string { return e.reason }

// wasRestarted is true once this run has restarted istiod.
func (e *Executor) wasRestarted() bool {
	e.restarting.Lock()
	defer e.restarting.Unlock()
	return e.restarted
}

// restart does what kubectl rollout restart does, and is noted as that: the Deployment may be another tool's. It does so
// once, whoever asks.
func (e *Executor) restart(ctx context.Context, c *cluster.Cluster) (wrote bool, err error) {
	e.restarting.Lock()
	defer e.restarting.Unlock()
	if e.restarted {
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
	e.restarted = true
	return true, nil
}
