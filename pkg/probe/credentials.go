package probe

import (
	"context"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// useCredentials tries each remote secret as istiod does: istiod itself tells only of its first try. One that was of no
// use when its cluster was read with it is not tried again.
func useCredentials(ctx context.Context, primary *cluster.Cluster, s *observe.Snapshot, t Target) {
	held, err := istio.RemoteSecrets(ctx, primary.Kube(), t.Namespace)
	if err != nil {
		return // the snapshot says that they can't be read
	}
	secrets := s.Clusters[t.Primary].RemoteSecrets
	var used sync.WaitGroup
	for i := range secrets {
		remote := &secrets[i]
		if there := s.Clusters[remote.Cluster]; there != nil && there.Secret == remote.Secret && there.Use != nil {
			remote.Use = there.Use
			continue
		}
		if reason, silent := silentAt(s, remote.Server); silent {
			remote.Use = &observe.CredentialUse{Problem: observe.ServerUnreachable, Error: reason}
			continue
		}
		for _, one := range held {
			if one.Secret == remote.Secret && one.Cluster == remote.Cluster && one.Usable() {
				used.Go(func() { remote.Use = use(ctx, one.Credentials) })
			}
		}
	}
	used.Wait()
	if ctx.Err() == nil {
		return
	}
	for i := range secrets { // the command's own time has ended, which says nothing of the servers
		if use := secrets[i].Use; use != nil && use.Problem == observe.ServerUnreachable {
			secrets[i].Use = nil
		}
	}
}

// silentAt is true for an API server that has been waited for in vain: it costs its timeout once.
func silentAt(s *observe.Snapshot, server string) (reason string, silent bool) {
	for _, c := range s.Clusters {
		for _, u := range c.Unreadable {
			if u.What == observe.APIServer && u.TimedOut && strings.TrimSuffix(c.Server, "/") == strings.TrimSuffix(server, "/") {
				return u.Reason, true
			}
		}
	}
	return "", false
}

func use(ctx context.Context, credentials istio.Credentials) *observe.CredentialUse {
	config := credentials.Config()
	config.Timeout, config.QPS, config.Burst = oneLook, 50, 50
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return &observe.CredentialUse{Problem: observe.ServerUntrusted, Error: err.Error()}
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
		return observe.FailedUse(errs[0])
	}
	var asked sync.WaitGroup
	for i := 1; i < len(needed); i++ {
		asked.Go(func() { ask(i) })
	}
	asked.Wait()
	result := &observe.CredentialUse{}
	for i, need := range needed {
		if errs[i] != nil {
			return observe.FailedUse(errs[i])
		}
		if !allowed[i] {
			result.Denied = append(result.Denied, observe.Permission{Verb: need.Verb, Group: need.Group, Resource: need.Resource})
		}
	}
	return result
}
