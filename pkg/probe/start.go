package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// errShutOut is why a sidecar can't become ready.
var errShutOut = errors.New("its pods don't get through to istiod")

// start puts the pods into each cluster and notes which are not ready, and why.
func (r *runner) start(ctx context.Context) {
	dials := r.wanted(ctx)
	r.each(r.Clusters, func(name string, c *cluster.Cluster) {
		if err := r.startOne(ctx, name, c, dials[name]); err != nil {
			r.note(func(t *snapshot.Traffic) {
				t.Unready[name] = err.Error()
				switch {
				case errors.As(err, &unpullable{}):
					t.Unpullable = append(t.Unpullable, name)
				case errors.As(err, &tooShortError{}), ctx.Err() != nil, cluster.Unanswered(err):
					t.Unprobed = append(t.Unprobed, name)
				}
			})
		}
	})
}

func (r *runner) startOne(ctx context.Context, name string, c *cluster.Cluster, dials []observe.Handshake) error {
	if err := r.removeAbandoned(ctx, c); err != nil {
		return err
	}
	r.say(name, "start the probe")
	if err := r.createNamespace(ctx, c); err != nil {
		return err
	}
	err := create(ctx, func(ctx context.Context) error {
		_, err := c.Kube().CoreV1().ServiceAccounts(r.traffic.Namespace).Create(ctx, account(name), metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create the probe's account: %w", err)
	}
	waiting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	r.dialling.Go(func() {
		if noSidecar := r.dialFrom(ctx, name, c, dials); noSidecar != nil {
			giveUp(noSidecar)
		}
	})
	if err := r.startProbe(waiting, name, c); err != nil {
		if cause := context.Cause(waiting); cause != nil && ctx.Err() == nil {
			return cause
		}
		return err
	}
	return nil
}

// createNamespace is not interrupted: what is not known to be there would not be removed.
func (r *runner) createNamespace(ctx context.Context, c *cluster.Cluster) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), observe.AnswerTimeout)
	defer cancel()
	ns, err := r.namespace()
	if err != nil {
		return err
	}
	err = create(ctx, func(ctx context.Context) error {
		_, err := c.Kube().CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", ns.Name, err)
	}
	return nil
}

// discovery are the mesh's selectors, as far as they are known.
func (r *runner) discovery() snapshot.DiscoverySelectors {
	primary := r.seen.Clusters[r.Primary]
	if primary == nil {
		return nil
	}
	plane, _ := primary.ControlPlane(cmp.Or(r.Revision, mesh.DefaultRevision))
	return plane.DiscoverySelectors
}

// startProbe starts the pod that calls and is called, and waits until it is ready.
func (r *runner) startProbe(ctx context.Context, name string, c *cluster.Cluster) error {
	ns := r.traffic.Namespace
	if err := r.createServices(ctx, c); err != nil {
		return err
	}
	if name == r.Primary {
		allow := policy(ns)
		err := create(ctx, func(ctx context.Context) error {
			resource, err := c.DynamicClientFor(allow.GroupVersionKind(), allow, ns)
			if err != nil {
				return err
			}
			_, err = resource.Create(ctx, allow, metav1.CreateOptions{})
			return err
		})
		if err != nil {
			return fmt.Errorf("create the probe's AuthorizationPolicy: %w", err)
		}
	}
	if err := r.awaitRoot(ctx, c); err != nil {
		return err
	}
	var created *corev1.Pod
	err := create(ctx, func(ctx context.Context) (err error) {
		created, err = c.Kube().CoreV1().Pods(ns).Create(ctx, r.pod(name), metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) { // by an attempt whose answer was lost
			created, err = c.Kube().CoreV1().Pods(ns).Get(ctx, podName, metav1.GetOptions{})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("create the probe's pod: %w", err)
	}
	if err := istio.Injected(created, name); err != nil {
		return fmt.Errorf("the probe's pod in %s: %w", ns, err)
	}
	return r.awaitReady(ctx, c, podName)
}

// createServices makes, in every cluster, a Service for each cluster's probe: a name must be known where the caller
// is.
func (r *runner) createServices(ctx context.Context, c *cluster.Cluster) error {
	selectors := map[string]map[string]string{everywhere: {appLabel: app}}
	for i, name := range r.Clusters {
		selectors[serviceName(i, name)] = probeLabels(name)
	}
	for name, selector := range selectors {
		err := create(ctx, func(ctx context.Context) error {
			_, err := c.Kube().CoreV1().Services(r.traffic.Namespace).Create(ctx, service(name, selector), metav1.CreateOptions{})
			return err
		})
		if err != nil {
			return fmt.Errorf("create Service %s: %w", name, err)
		}
	}
	return nil
}

// awaitRoot waits for what every sidecar mounts. A pod that is created before it is there starts seconds later.
func (r *runner) awaitRoot(ctx context.Context, c *cluster.Cluster) error {
	ns := r.traffic.Namespace
	err := wait.PollUntilContextTimeout(ctx, 30*time.Millisecond, r.Settle, true, func(ctx context.Context) (bool, error) {
		_, err := c.Kube().CoreV1().ConfigMaps(ns).Get(ctx, wellknown.RootCertConfigMap, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return false, err
		}
		return err == nil, nil
	})
	switch {
	case wait.Interrupted(err):
		return fmt.Errorf("istiod has not written ConfigMap %s into the new namespace %s within %s", wellknown.RootCertConfigMap, ns, r.Settle)
	case err != nil:
		return fmt.Errorf("look for ConfigMap %s in the new namespace %s: %w", wellknown.RootCertConfigMap, ns, err)
	}
	return nil
}
