package observe

import (
	"cmp"
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Follow reads, with the credentials of each remote secret, which cluster it leads to. All of them are asked at once, and
// none is waited for longer than for a cluster without a context. failed are the errors by the secrets' indexes.
func Follow(ctx context.Context, primary *cluster.Cluster, held []istio.RemoteCredentials) (secrets []snapshot.RemoteSecret, failed []error) {
	secrets, failed = remoteSecretsOf(held), make([]error, len(held))
	var asked sync.WaitGroup
	for i, one := range held {
		if !one.Usable() || mesh.IsLocal(one.Server) { // from here that would be another machine than for istiod
			continue
		}
		asked.Go(func() {
			secrets[i].UID, failed[i] = identityBy(ctx, one.Credentials, primary.RESTConfig().UserAgent)
			switch {
			case apierrors.IsForbidden(failed[i]): // the server is the right one, and takes the token
				secrets[i].Unidentified, failed[i] = &snapshot.CredentialUse{Error: failed[i].Error()}, nil
			case failed[i] != nil:
				secrets[i].Unidentified = FailedUse(ctx, failed[i])
			}
		})
	}
	asked.Wait()
	return secrets, failed
}

// identityBy reads a cluster's UID with the credentials of a remote secret.
func identityBy(ctx context.Context, credentials istio.Credentials, userAgent string) (string, error) {
	ctx, cancel := Bounded(ctx, remoteAnswerTimeout)
	defer cancel()
	config := credentials.Config()
	config.UserAgent = userAgent
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", err
	}
	ns, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", cmp.Or(Silence(ctx, err), err)
	}
	return string(ns.UID), nil
}

// Identify reads what tells a cluster from others: its UID, and the fingerprint of the reader account's token, which is
// empty where there is none that the user may read. The error says why the cluster does not answer in time.
func Identify(ctx context.Context, c *cluster.Cluster, namespace string, timeout time.Duration) (uid, token string, err error) {
	ctx, cancel := Bounded(ctx, timeout)
	defer cancel()
	uid, err = c.UID(ctx)
	if silent := Silence(ctx, err); silent != nil {
		return "", "", silent
	}
	if secret, err := c.Kube().CoreV1().Secrets(namespace).Get(ctx, wellknown.ReaderTokenSecret, metav1.GetOptions{}); err == nil {
		_, bearer, _ := istio.TokenOf(secret)
		token = snapshot.Fingerprint(bearer)
	}
	return uid, token, nil
}

// PrimaryNames are the names that the control planes in a cluster have for it; none where it does not answer in
// time.
func PrimaryNames(ctx context.Context, c *cluster.Cluster, namespace string, timeout time.Duration) []string {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	istiods, err := c.Kube().AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: wellknown.IstiodSelector})
	if err != nil {
		return nil
	}
	var names []string
	for i := range istiods.Items {
		names = append(names, controlPlaneOf(&istiods.Items[i]).ClusterID)
	}
	return names
}

// identifySecrets says where remote secrets lead whose own credentials did not tell.
func identifySecrets(s *snapshot.Snapshot) {
	for _, holder := range s.Clusters {
		for i := range holder.RemoteSecrets {
			if secret := &holder.RemoteSecrets[i]; secret.UID == "" {
				secret.UID = facts.UIDBehind(*secret, s.Clusters)
			}
		}
	}
}
