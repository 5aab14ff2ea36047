package execute

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/retry"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// dropRemoteSecrets deletes the secrets with a remote's credentials that were there when the snapshot was taken. One that has been created
// again since, by another run, stays: istiod watches the cluster again because of it.
func (e *Executor) dropRemoteSecrets(ctx context.Context, w waiter, action plan.DropRemoteSecrets) (run.Result, error) {
	other, err := e.hold(ctx, w, action.Remote)
	if err != nil {
		return run.Result{}, err
	}
	var deleted int
	var kept []string
	for _, secret := range action.Secrets {
		err := w.cluster.Kube().CoreV1().Secrets(e.Mesh.Namespace).Delete(ctx, secret.Name, *metav1.NewPreconditionDeleteOptions(secret.UID))
		switch {
		case err == nil:
			deleted++
		case apierrors.IsConflict(err):
			kept = append(kept, secret.Name+" was created again by another run, and stays")
		case !apierrors.IsNotFound(err):
			return run.Result{}, fmt.Errorf("cluster %s: Secret %s in %s: %w", w.cluster.Name, secret.Name, e.Mesh.Namespace, err)
		}
	}
	detail := strings.Join(append([]string{fmt.Sprintf("%d deleted", deleted)}, kept...), "; ")
	return after(other, run.Result{Detail: detail, Wrote: deleted > 0}), nil
}

// credentialsTask applies the secret with a remote's credentials, with the lease on them where that is needed.
type credentialsTask struct {
	applyTask
	action plan.ApplyRemoteSecret
}

func (t credentialsTask) do(ctx context.Context, w waiter) (run.Result, error) {
	other, err := t.holdToCreate(ctx, w, t.action)
	if err != nil {
		return run.Result{}, err
	}
	var result run.Result
	err = retry.OnError(ctx, retry.Backoff(), apierrors.IsConflict, func() error { // an edit between our look at it and the write is kept, too
		result, err = t.applyTask.do(ctx, w)
		return err
	})
	return after(other, result), err
}

// after says in a step's result which other run it has waited for.
func after(other string, result run.Result) run.Result {
	if other != "" && result.Detail != "" {
		result.Detail += ", after waiting for " + other
	}
	return result
}

// holdToCreate holds the lease on a remote's credentials where there is no secret with them, and where another run is at
// work on it.
func (e *Executor) holdToCreate(ctx context.Context, w waiter, action plan.ApplyRemoteSecret) (other string, err error) {
	if action.New {
		return e.hold(ctx, w, action.Remote)
	}
	secret, err := e.secretOf(ctx, w.cluster, action.Remote)
	if err != nil {
		return "", err
	}
	if secret != nil {
		if busy, err := e.held(ctx, w.cluster, action.Remote); !busy || err != nil {
			return "", err
		}
	}
	return e.hold(ctx, w, action.Remote)
}

// secretOf is the secret with a remote's credentials; nil where there is none, or none for long.
func (e *Executor) secretOf(ctx context.Context, primary *cluster.Cluster, remote string) (*corev1.Secret, error) {
	secret, err := e.readRemoteSecret(ctx, primary, remote)
	if secret != nil && secret.DeletionTimestamp != nil {
		return nil, nil //nolint:nilnil // no secret, and no error
	}
	return secret, err
}

// readRemoteSecret reads the secret with a remote's credentials, also while it is being deleted; nil where there is none.
func (e *Executor) readRemoteSecret(ctx context.Context, primary *cluster.Cluster, remote string) (*corev1.Secret, error) {
	secret, err := primary.Kube().CoreV1().Secrets(e.Mesh.Namespace).Get(ctx, istio.RemoteSecretName(remote), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // no secret, and no error
	case err != nil:
		return nil, fmt.Errorf("cluster %s: %w", primary.Name, err)
	}
	return secret, nil
}

// remoteSecret reads the reader account's token in the remote and makes the primary's secret of it. A kubeconfig that is
// there and says the same stays to the byte: an istiod that sees it change, be it in a blank, may permanently stop watching
// the cluster (istio/istio#59875). For that reason one that says something else is changed only for an istiod that takes it over;
// otherwise the plan has it deleted first.
func (e *Executor) remoteSecret(ctx context.Context, primary *cluster.Cluster, action plan.ApplyRemoteSecret) (objectSet, error) {
	var (
		token, there *corev1.Secret
		readers      errgroup.Group
	)
	readers.Go(func() (err error) {
		token, err = readToken(ctx, e.Clusters[action.Remote], e.Mesh.Namespace)
		switch {
		case e.dry() && apierrors.IsNotFound(err):
			token = &corev1.Secret{}
		case err != nil:
			return fmt.Errorf("cluster %s: %w", action.Remote, err)
		}
		return nil
	})
	readers.Go(func() (err error) {
		there, err = e.readRemoteSecret(ctx, primary, action.Remote)
		return err
	})
	if err := readers.Wait(); err != nil {
		return objectSet{}, err
	}
	ca, bearer, filled := istio.TokenOf(token)
	if !filled && e.dry() {
		ca, bearer, filled = []byte(istio.NotMadeYet), []byte(istio.NotMadeYet), true
	}
	if !filled {
		return objectSet{}, fmt.Errorf("cluster %s: Secret %s in %s has no token yet", action.Remote, token.Name, token.Namespace)
	}
	credentials := istio.Credentials{Server: action.Server, TLSServerName: action.TLSServerName, CA: ca, Token: bearer}
	secret, err := istio.RemoteSecret(e.Mesh.Namespace, action.Remote, credentials)
	if err != nil {
		return objectSet{}, err
	}
	if there != nil && there.DeletionTimestamp == nil && there.Data[action.Remote] != nil {
		said, err := istio.ParseRemoteSecret(there.Data[action.Remote])
		switch {
		case facts.SameCredentials(fingerprints(secret.Name, said, err), fingerprints(secret.Name, credentials, nil)):
			secret.Data[action.Remote] = there.Data[action.Remote]
		case !e.dry() && !action.InPlace:
			return objectSet{}, fmt.Errorf("cluster %s: Secret %s in %s has been given other credentials while this command ran, by another run or another tool, and was left as it is; run the same command again",
				primary.Name, secret.Name, secret.Namespace)
		}
	}
	object, err := istio.Unstructured(secret)
	if err != nil {
		return objectSet{}, err
	}
	var live *unstructured.Unstructured
	if there != nil {
		there.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(there)
		if err != nil {
			return objectSet{}, err
		}
		live = &unstructured.Unstructured{Object: content}
	}
	return objectSet{
		objects: []*unstructured.Unstructured{object}, live: map[*unstructured.Unstructured]*unstructured.Unstructured{object: live},
	}, nil
}

// fingerprints is what a snapshot has of the credentials in a secret; err says why istiod would not use them.
func fingerprints(secret string, credentials istio.Credentials, err error) snapshot.RemoteSecret {
	return observe.RemoteSecretOf(istio.RemoteCredentials{Credentials: credentials, Secret: secret, Err: err})
}

func readToken(ctx context.Context, c *cluster.Cluster, namespace string) (*corev1.Secret, error) {
	return c.Kube().CoreV1().Secrets(namespace).Get(ctx, wellknown.ReaderTokenSecret, metav1.GetOptions{})
}
