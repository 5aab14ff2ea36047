package probe

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// cleanUp bounds the removal, which goes on when the user has interrupted.
const cleanUp = 30 * time.Second

// abandoned is the age at which a probe is taken for one whose run was killed, where that can't be seen. Its pods end by
// themselves then.
const abandoned = 15 * time.Minute

// removeAbandoned takes away what killed runs have left.
func (r *runner) removeAbandoned(ctx context.Context, c *cluster.Cluster) error {
	list, err := c.Kube().CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: labels.FormatLabels(markedLabels())})
	if err != nil {
		return fmt.Errorf("look for what earlier probes have left: %w", err)
	}
	here, unknown := thisProcess()
	for _, ns := range list.Items {
		left := time.Since(ns.CreationTimestamp.Time) > abandoned ||
			unknown == nil && here.ended(ns.Annotations[ownerAnnotation], startOf)
		if !left || ns.DeletionTimestamp != nil {
			continue
		}
		r.say(c.Name, "remove what an earlier run has left")
		if err := c.Kube().CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("remove namespace %s, which an earlier probe has left: %w", ns.Name, err)
		}
	}
	return nil
}

// removeNamespace takes the namespace away and waits until it is gone. Kubernetes looks into a namespace 5 seconds after
// it was told to delete it, and not before.
func removeNamespace(ctx context.Context, c *cluster.Cluster, name string) error {
	namespaces := c.Kube().CoreV1().Namespaces()
	// It looks again seconds later if it then finds a pod, so the pods go first, and at once.
	for _, pod := range []string{podName, diallerName} {
		err := c.Kube().CoreV1().Pods(name).Delete(ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("pod %s in namespace %s was left behind: %w", pod, name, err)
		}
	}
	switch err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("namespace %s was left behind: %w", name, err)
	}
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return fmt.Errorf("namespace %s is being deleted, but not gone: %w", name, err)
	}
	return nil
}

func (r *runner) leftBehind(err error, c *cluster.Cluster, namespace string) error {
	where := mesh.Cluster{Name: c.Name, Context: c.Context, Role: mesh.Remote}
	if c.Name == r.Primary {
		where.Role = mesh.Primary
	}
	return fmt.Errorf("cluster %s: %w\n  → %s", c.Name, err, r.Caller.Kubectl(where, "delete", "namespace", namespace))
}
