package cmd

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// hintPatience is how long a context may take to answer of which no address says that it leads to a remote.
const hintPatience = 3 * time.Second

// place is where a context leads, as far as it was looked at.
type place struct {
	cluster.Endpoint
	// uid is the cluster's, token the fingerprint of its reader account's token; empty where they are not known.
	uid, token string
	// silent says why the cluster does not answer.
	silent error
}

// unseen are the places of contexts that nobody has looked at.
func unseen(endpoints []cluster.Endpoint) []place {
	var places []place
	for _, e := range endpoints {
		places = append(places, place{Endpoint: e})
	}
	return places
}

// lookUp looks at the places that may be the clusters of remote secrets, all at once: those at the same address and, of a
// secret whose address no context has, those with its CA or its cluster's name. These are no more than hints: a CA may be
// that of many clusters.
func (o *options) lookUp(ctx context.Context, namespace string, secrets []istio.RemoteCredentials, places []place) {
	patience := map[int]time.Duration{}
	for _, secret := range secrets {
		at, hinted := map[int]time.Duration{}, map[int]time.Duration{}
		for i, p := range places {
			switch {
			case observe.SameServer(p.Server, secret.Server):
				at[i] = observe.Patience
			case len(secret.CA) > 0 && observe.Fingerprint(p.CA) == observe.Fingerprint(secret.CA), mesh.ClusterName(p.Context) == secret.Cluster:
				hinted[i] = max(patience[i], hintPatience)
			}
		}
		if len(at) == 0 {
			at = hinted
		}
		maps.Copy(patience, at)
	}
	var asked sync.WaitGroup
	for i, patience := range patience {
		asked.Go(func() {
			p := &places[i]
			c, err := cluster.Connect(o.flags, p.Context, p.Context, false)
			if err != nil {
				p.silent = err
				return
			}
			p.uid, p.token, p.silent = observe.Identify(ctx, c, namespace, patience)
		})
	}
	asked.Wait()
}

// leadingTo are the places that are the cluster of a remote secret, by its UID or by the reader account's token; else
// those at the secret's address of which nothing else is known. Those at its address come first.
func leadingTo(secret observe.RemoteSecret, places []place) []place {
	var there, elsewhere []place
	for _, p := range places {
		atAddress := observe.SameServer(p.Server, secret.Server)
		is := secret.Token != "" && p.token == secret.Token
		if secret.UID != "" && p.uid != "" {
			is = p.uid == secret.UID
		} else {
			is = is || atAddress
		}
		switch {
		case is && atAddress:
			there = append(there, p)
		case is:
			elsewhere = append(elsewhere, p)
		}
	}
	// One that answers is better than one that does not.
	slices.SortStableFunc(there, func(a, b place) int { return rank(a) - rank(b) })
	return append(there, elsewhere...)
}

func rank(p place) int {
	if p.silent != nil {
		return 1
	}
	return 0
}
