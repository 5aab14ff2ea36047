package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// hintTimeout is how long a context may take to answer of which no address says that it leads to a remote.
const hintTimeout = 3 * time.Second

// candidate is where a context leads, as far as it was looked at.
type candidate struct {
	cluster.Endpoint
	// uid is the cluster's, token the fingerprint of its reader account's token; empty where they are not known.
	uid, token string
	// silent says why the cluster does not answer.
	silent error
}

// unidentified are the candidates of contexts that nobody has looked at.
func unidentified(endpoints []cluster.Endpoint) []candidate {
	var candidates []candidate
	for _, e := range endpoints {
		candidates = append(candidates, candidate{Endpoint: e})
	}
	return candidates
}

// likelyCandidates are the candidates that may be the clusters of remote secrets, and how long each may take to answer: those at the same
// address and, of a secret whose address no context has, the hinted ones.
func likelyCandidates(secrets []istio.RemoteCredentials, candidates []candidate) map[int]time.Duration {
	timeouts := map[int]time.Duration{}
	for _, secret := range secrets {
		found := false
		for i, p := range candidates {
			if facts.SameServer(p.Server, secret.Server) {
				timeouts[i], found = observe.AnswerTimeout, true
			}
		}
		if !found {
			addHints(timeouts, secret, candidates)
		}
	}
	return timeouts
}

// otherCandidates are the hinted candidates of the secrets whose cluster is none of those that were looked at: a wrong address in a
// secret may lead to another cluster. held and secrets are the same secrets.
func otherCandidates(held []istio.RemoteCredentials, secrets []snapshot.RemoteSecret, candidates []candidate) map[int]time.Duration {
	timeouts := map[int]time.Duration{}
	for i, secret := range secrets {
		if !slices.ContainsFunc(candidates, func(p candidate) bool { is, _ := p.matches(secret); return is }) {
			addHints(timeouts, held[i], candidates)
		}
	}
	return timeouts
}

// addHints adds the candidates, not looked at yet, with a secret's CA or its cluster's name. These are no more than hints: a CA
// may be that of many clusters.
func addHints(timeouts map[int]time.Duration, secret istio.RemoteCredentials, candidates []candidate) {
	for i, p := range candidates {
		sameCA := len(secret.CA) > 0 && snapshot.Fingerprint(p.CA) == snapshot.Fingerprint(secret.CA)
		if p.uid == "" && p.silent == nil && (sameCA || mesh.ClusterName(p.Context) == secret.Cluster) {
			timeouts[i] = max(timeouts[i], hintTimeout)
		}
	}
}

// identify looks which clusters candidates are, all at once.
func (s Session) identify(ctx context.Context, timeouts map[int]time.Duration, candidates []candidate) {
	var asked sync.WaitGroup
	for i, timeout := range timeouts {
		asked.Go(func() {
			p := &candidates[i]
			c, err := cluster.Connect(s.Kubeconfig, p.Context, p.Context, false)
			if err != nil {
				p.silent = err
				return
			}
			p.uid, p.token, p.silent = observe.Identify(ctx, c, s.Namespace, timeout)
		})
	}
	asked.Wait()
}

// matches is true for a candidate that is the cluster of a remote secret, by its UID or by the reader account's token; known is false
// where neither tells.
func (p candidate) matches(secret snapshot.RemoteSecret) (match, known bool) {
	return facts.IsFor(secret, &snapshot.Cluster{UID: p.uid, ReaderToken: &snapshot.ReaderToken{Token: p.token}})
}

// leadingTo are the candidates that are known to be the cluster of a remote secret, those at its address first, and then those at
// its address of which it is not known. At the primary's own address these are none.
func leadingTo(secret snapshot.RemoteSecret, candidates []candidate, primary string) []candidate {
	var there, elsewhere, perhaps []candidate
	for _, p := range candidates {
		is, known := p.matches(secret)
		atAddress := facts.SameServer(p.Server, secret.Server)
		switch {
		case is && atAddress:
			there = append(there, p)
		case is:
			elsewhere = append(elsewhere, p)
		case !known && atAddress && !facts.SameServer(p.Server, primary):
			perhaps = append(perhaps, p)
		}
	}
	// One that answers is better than one that does not.
	slices.SortStableFunc(perhaps, func(a, b candidate) int { return rank(a) - rank(b) })
	return slices.Concat(there, elsewhere, perhaps)
}

func rank(p candidate) int {
	if p.silent != nil {
		return 1
	}
	return 0
}
