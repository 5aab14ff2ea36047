package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addUses tries each remote secret as istiod does: istiod itself tells only of its first try. One that was of no use when its
// cluster was read with it is not tried again.
func addUses(ctx context.Context, primary *cluster.Cluster, s *snapshot.Snapshot, t Target, found *findings) {
	secrets := slices.Clone(s.Clusters[t.Primary].RemoteSecrets)
	held, err := istio.RemoteSecrets(ctx, primary.Kube(), t.Namespace)
	var used sync.WaitGroup
	for i := range secrets {
		remote := &secrets[i]
		if err != nil { // they were read a moment ago
			remote.Use = &snapshot.CredentialUse{Problem: snapshot.UseUnknown, Error: CouldNot(ctx, snapshot.RemoteSecretsPart, err).Reason}
			continue
		}
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
				used.Go(func() { remote.Use = use(ctx, one.Credentials, remote.UID != "" && remote.Unidentified == nil) })
			}
		}
	}
	used.Wait()
	found.add(t.Primary, func(c *snapshot.Cluster) { c.RemoteSecrets = secrets })
}

// silentAt is true for an API server that did not answer in time before: it costs its timeout once.
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

// use asks an API server whether the credentials allow what istiod does with them. Of one that has not answered before, a first
// question says whether it is worth asking on.
func use(ctx context.Context, credentials istio.Credentials, answered bool) *snapshot.CredentialUse {
	config := credentials.Config()
	config.Timeout, config.QPS, config.Burst = oneCall, 50, 50
	retrying, err := cluster.WithRetries(config)
	if err != nil {
		return &snapshot.CredentialUse{Problem: snapshot.ServerUntrusted, Error: err.Error()}
	}
	client, err := kubernetes.NewForConfig(retrying)
	if err != nil {
		return &snapshot.CredentialUse{Problem: snapshot.ServerUntrusted, Error: err.Error()}
	}
	var needed []snapshot.Permission
	for _, need := range istio.ReaderNeeds() {
		needed = append(needed, snapshot.Permission{Verb: need.Verb, Group: need.Group, Resource: need.Resource})
	}
	var first []snapshot.Permission
	if !answered {
		if first, err = lacking(ctx, client, needed[:1]); err != nil {
			return failedUse(ctx, config.Host, err)
		}
		needed = needed[1:]
	}
	rest, err := lacking(ctx, client, needed)
	if err != nil {
		return failedUse(ctx, config.Host, err)
	}
	return &snapshot.CredentialUse{Denied: slices.Concat(first, rest)}
}

// failedUse is FailedUse of a call from here. Where a proxy of this machine's environment stands between, that the server is not
// reached is perhaps the proxy's doing; istiod does not go through it.
func failedUse(ctx context.Context, server string, err error) *snapshot.CredentialUse {
	failed := FailedUse(ctx, err)
	if target, wrong := url.Parse(server); wrong == nil && failed.Problem == snapshot.ServerUnreachable {
		if proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: target}); proxy != nil {
			failed.Problem = snapshot.UseUnknown
			failed.Error = fmt.Sprintf("through the proxy %s of this machine's environment: %s", proxy.Host, failed.Error)
		}
	}
	return failed
}
