package execute

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
)

// leaseDuration is how long a run that was killed keeps others waiting.
const leaseDuration = 10 * time.Second

// leaseTimeout bounds how long it takes to give a lease back.
const leaseTimeout = 5 * time.Second

// leaseName is the name of the Lease in the primary that a run holds while it replaces a remote's credentials.
func leaseName(remote string) string { return "kubectl-mesh-remote-" + remote }

// lease is the right to replace a remote's credentials, which one run at a time has: istiod forgets a cluster whose secret
// is deleted only as long as nobody else creates it again. It spares the other run a wait that can't end; that no run deletes or
// overwrites what another has written does not depend on it (see dropRemoteSecrets and remoteSecret).
type lease struct {
	*resourcelock.LeaseLock
	// last is what the lease of another run says, and since when: nothing is judged by other machines' clocks.
	last  []byte
	since time.Time
	// other is the run that was waited for; empty where there was none.
	other string
	// stop ends the renewals, which renewals waits for.
	stop     context.CancelFunc
	renewals sync.WaitGroup
}

// hold takes the lease on a remote's credentials, once, and waits while another run has it. It returns which one that was;
// empty where there was none.
func (e *Executor) hold(ctx context.Context, w waiter, remote string) (other string, err error) {
	e.mu.Lock()
	_, held := e.leases[remote]
	e.mu.Unlock()
	if held {
		return "", nil
	}
	l := &lease{LeaseLock: &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Name: leaseName(remote), Namespace: e.Mesh.Namespace}, Client: w.cluster.Kube().CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: e.Holder},
	}}
	if _, err := w.until(ctx, "the end of another run", l.condition); err != nil {
		return "", err
	}
	l.renew(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.leases == nil {
		e.leases = map[string]*lease{}
	}
	e.leases[remote] = l
	return l.other, nil
}

// condition looks once: it is done once the lease is this run's.
func (l *lease) condition(ctx context.Context) (done bool, seen string, err error) {
	now := metav1.Now()
	mine := resourcelock.LeaderElectionRecord{
		HolderIdentity: l.Identity(), LeaseDurationSeconds: int(leaseDuration / time.Second), AcquireTime: now, RenewTime: now,
	}
	err = l.Create(ctx, mine) // as a rule nobody holds it
	if apierrors.IsAlreadyExists(err) {
		var record *resourcelock.LeaderElectionRecord
		var raw []byte
		record, raw, err = l.Get(ctx)
		switch {
		case err != nil:
		case record.HolderIdentity != l.Identity() && l.runs(record, raw):
			l.other = record.HolderIdentity
			return false, fmt.Sprintf("waiting for the run of %s, which began at %s", l.other, record.AcquireTime.Local().Format(time.TimeOnly)), nil
		default:
			mine.LeaderTransitions = record.LeaderTransitions + 1
			err = l.Update(ctx, mine)
		}
	}
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return false, "another run was quicker", nil
	case apierrors.IsForbidden(err):
		return false, "", permanentError{fmt.Errorf("the Lease %s: %w", l.Describe(), err)}
	}
	return err == nil, "", err
}

// runs is true until a lease has not been renewed for as long as it says.
func (l *lease) runs(record *resourcelock.LeaderElectionRecord, raw []byte) bool {
	if !bytes.Equal(raw, l.last) {
		l.last, l.since = raw, time.Now()
	}
	return record.HolderIdentity != "" && time.Since(l.since) < time.Duration(record.LeaseDurationSeconds)*time.Second
}

// renew goes on renewing a lease until it is released. What fails is tried again, since the work does not depend on it.
func (l *lease) renew(ctx context.Context) {
	ctx, l.stop = context.WithCancel(ctx)
	l.renewals.Go(func() {
		_ = wait.PollUntilContextCancel(ctx, leaseDuration/3, false, func(ctx context.Context) (bool, error) {
			if record, _, err := l.Get(ctx); err == nil && record.HolderIdentity == l.Identity() {
				record.RenewTime = metav1.Now()
				_ = l.Update(ctx, *record)
			}
			return false, nil
		})
	})
}

// release gives the lease on a remote's credentials back. One that can't be deleted ends by itself.
func (e *Executor) release(ctx context.Context, remote string) {
	e.mu.Lock()
	l := e.leases[remote]
	delete(e.leases, remote)
	e.mu.Unlock()
	if l == nil {
		return
	}
	l.stop()
	l.renewals.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTimeout) // also after a signal
	defer cancel()
	leases := l.Client.Leases(l.LeaseMeta.Namespace)
	there, err := leases.Get(ctx, l.LeaseMeta.Name, metav1.GetOptions{})
	if err == nil && there.Spec.HolderIdentity != nil && *there.Spec.HolderIdentity == l.Identity() {
		_ = leases.Delete(ctx, there.Name, *metav1.NewRVDeletionPrecondition(there.ResourceVersion))
	}
}

// Release gives back what the run still holds when it ends.
func (e *Executor) Release(ctx context.Context) {
	e.releases.Wait()
	for _, c := range e.Mesh.Remotes() {
		e.release(ctx, c.Name)
	}
}

// held is true where a run holds the lease on a remote's credentials, or was killed while it did.
func (e *Executor) held(ctx context.Context, primary *cluster.Cluster, remote string) (bool, error) {
	_, err := primary.Kube().CoordinationV1().Leases(e.Mesh.Namespace).Get(ctx, leaseName(remote), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cluster %s: %w", primary.Name, err)
	}
	return true, nil
}
