package probe

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// useCredentials tries each remote secret as istiod does: istiod itself tells only of its first try. One that was of no
// use when its cluster was read with it is not tried again.
func useCredentials(ctx context.Context, primary *cluster.Cluster, s *snapshot.Snapshot, t Target) {
	secrets := s.Clusters[t.Primary].RemoteSecrets
	held, err := istio.RemoteSecrets(ctx, primary.Kube(), t.Namespace)
	if err != nil { // they were read a moment ago
		for i := range secrets {
			secrets[i].Use = &snapshot.CredentialUse{Problem: snapshot.UseUnknown, Error: observe.CouldNot(ctx, snapshot.RemoteSecretsPart, err).Reason}
		}
		return
	}
	var used sync.WaitGroup
	for i := range secrets {
		remote := &secrets[i]
		if there := s.Clusters[remote.Cluster]; there != nil && there.Secret == remote.Secret && there.Use != nil {
			remote.Use = there.Use
			continue
		}
		if reason, silent := silentAt(s, remote.Server); silent {
			remote.Use = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: reason}
			continue
		}
		for _, one := range held {
			if one.Secret == remote.Secret && one.Cluster == remote.Cluster && one.Usable() {
				used.Go(func() { remote.Use = use(ctx, one.Credentials) })
			}
		}
	}
	used.Wait()
}

// silentAt is true for an API server that has been waited for in vain: it costs its timeout once.
func silentAt(s *snapshot.Snapshot, server string) (reason string, silent bool) {
	for _, c := range s.Clusters {
		for _, u := range c.Unreadable {
			if u.What == snapshot.APIServer && u.TimedOut && facts.SameServer(c.Server, server) {
				return u.Reason, true
			}
		}
	}
	return "", false
}

func use(ctx context.Context, credentials istio.Credentials) *snapshot.CredentialUse {
	config := credentials.Config()
	config.Timeout, config.QPS, config.Burst = oneLook, 50, 50
	retrying, err := cluster.WithRetries(config)
	if err != nil {
		return &snapshot.CredentialUse{Problem: snapshot.ServerUntrusted, Error: err.Error()}
	}
	client, err := kubernetes.NewForConfig(retrying)
	if err != nil {
		return &snapshot.CredentialUse{Problem: snapshot.ServerUntrusted, Error: err.Error()}
	}
	needed := istio.ReaderNeeds()
	allowed, errs := make([]bool, len(needed)), make([]error, len(needed))
	ask := func(i int) {
		need := needed[i]
		review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: need.Verb, Group: need.Group, Resource: need.Resource,
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			errs[i] = err
			return
		}
		allowed[i] = review.Status.Allowed
	}
	ask(0) // the first one says whether it is worth asking on
	if errs[0] != nil {
		return failedUse(ctx, config.Host, errs[0])
	}
	var asked sync.WaitGroup
	for i := 1; i < len(needed); i++ {
		asked.Go(func() { ask(i) })
	}
	asked.Wait()
	result := &snapshot.CredentialUse{}
	for i, need := range needed {
		if errs[i] != nil {
			return failedUse(ctx, config.Host, errs[i])
		}
		if !allowed[i] {
			result.Denied = append(result.Denied, snapshot.Permission{Verb: need.Verb, Group: need.Group, Resource: need.Resource})
		}
	}
	return result
}

// failedUse is observe.FailedUse of a call from here. Where a proxy of this machine's environment stands between, that the
// server is not reached is perhaps the proxy's doing; istiod does not go through it.
func failedUse(ctx context.Context, server string, err error) *snapshot.CredentialUse {
	failed := observe.FailedUse(ctx, err)
	if target, wrong := url.Parse(server); wrong == nil && failed.Problem == snapshot.ServerUnreachable {
		if proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: target}); proxy != nil {
			failed.Problem = snapshot.UseUnknown
			failed.Error = fmt.Sprintf("through the proxy %s of this machine's environment: %s", proxy.Host, failed.Error)
		}
	}
	return failed
}
