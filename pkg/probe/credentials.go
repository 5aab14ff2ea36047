package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// useCredentials tries each remote secret as istiod does: istiod itself tells only of its first try.
func useCredentials(ctx context.Context, primary *cluster.Cluster, s *observe.Snapshot, t Target) {
	seen := s.Clusters[t.Primary]
	list, err := primary.Kube().CoreV1().Secrets(t.Namespace).List(ctx, metav1.ListOptions{LabelSelector: istio.RemoteSecretSelector})
	if err != nil {
		return // the snapshot says that they can't be read
	}
	var used sync.WaitGroup
	for i := range seen.RemoteSecrets {
		remote := &seen.RemoteSecrets[i]
		for _, secret := range list.Items {
			if secret.Name != remote.Secret {
				continue
			}
			credentials, err := istio.ParseRemoteSecret(secret.Data[remote.Cluster])
			if reason, silent := silentAt(s, credentials.Server); silent {
				remote.Use = &observe.CredentialUse{Problem: observe.ServerUnreachable, Error: reason}
			} else if err == nil && len(credentials.Token) > 0 {
				used.Go(func() { remote.Use = use(ctx, credentials) })
			}
		}
	}
	used.Wait()
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
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: credentials.Server, BearerToken: string(credentials.Token), Timeout: oneLook, QPS: 50, Burst: 50,
		TLSClientConfig: rest.TLSClientConfig{CAData: credentials.CA, ServerName: credentials.TLSServerName},
	})
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
		return problem(errs[0])
	}
	var asked sync.WaitGroup
	for i := 1; i < len(needed); i++ {
		asked.Go(func() { ask(i) })
	}
	asked.Wait()
	result := &observe.CredentialUse{}
	for i, need := range needed {
		if errs[i] != nil {
			return problem(errs[i])
		}
		if !allowed[i] {
			result.Denied = append(result.Denied, observe.Permission{Verb: need.Verb, Group: need.Group, Resource: need.Resource})
		}
	}
	return result
}

// problem names the kind of an error.
func problem(err error) *observe.CredentialUse {
	found := &observe.CredentialUse{Problem: observe.ServerUnreachable, Error: err.Error()}
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
	)
	switch {
	case apierrors.IsUnauthorized(err):
		found.Problem = observe.TokenRefused
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &verify):
		found.Problem = observe.ServerUntrusted
	}
	return found
}
