package execute

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// leaderWait is a wait for a new leader in a remote, or in the primary itself, once istiod has been restarted. An istiod
// that ends without giving its lock there back keeps it until it runs out, and meanwhile no new namespace of the cluster
// gets the root certificate.
type leaderWait struct {
	*Executor
	primary, remote *cluster.Cluster
	// renewed is when the lock was renewed, as it was seen last.
	renewed metav1.Time
}

// condition looks once whether the wait is over.
func (s *leaderWait) condition(ctx context.Context) (done bool, seen string, err error) {
	lock, err := s.remote.Kube().CoreV1().ConfigMaps(s.Mesh.Namespace).Get(ctx, istio.NamespaceLock, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, "no istiod leads there yet", nil
	}
	if err != nil {
		return false, "", fmt.Errorf("cluster %s: %w", s.remote.Name, err)
	}
	record, held := istio.HolderOf(lock)
	if !held {
		return false, "no istiod leads there yet", nil
	}
	pods, err := istio.IstiodPods(ctx, s.primary, s.Mesh.Namespace, "")
	if err != nil {
		return false, "", err
	}
	runs := slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Name == record.HolderIdentity })
	// Whoever renews it runs, be it the istiod of another control plane.
	renews := !s.renewed.IsZero() && !record.RenewTime.Equal(&s.renewed)
	s.renewed = record.RenewTime
	if runs || renews {
		return true, record.HolderIdentity + " leads there", nil
	}
	return false, fmt.Sprintf("%s, which no longer runs, still holds the lock %s there, until it runs out", record.HolderIdentity, istio.NamespaceLock), nil
}

// restartWait is a wait for the rollout of an istiod whose Deployment was changed, and then for one that leads.
type restartWait struct{ rollout, leader condition }

// condition looks once whether the wait is over.
func (r *restartWait) condition(ctx context.Context) (done bool, seen string, err error) {
	done, seen, err = r.rollout(ctx)
	if !done || err != nil {
		return done, seen, err
	}
	leads, who, err := r.leader(ctx)
	if !leads || err != nil {
		return false, seen + "; " + who, err
	}
	return true, seen, nil
}
