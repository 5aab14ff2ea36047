package app

import (
	"context"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// callsPerPair is how many calls a probe makes to each cluster in each protocol: enough for a median, and few enough
// to disturb nobody.
const callsPerPair = 10

// settle is how long proxies may take to know the probes.
const settle = 20 * time.Second

// Verify asks whether a mesh is well.
type Verify struct {
	// Remotes are those to look at, each CONTEXT or NAME=CONTEXT; none are all that the primary knows.
	Remotes []string
	// Traffic says how requests are sent from every cluster to every cluster; nil sends none.
	Traffic *TrafficOptions
}

// TrafficOptions say how requests are sent.
type TrafficOptions struct {
	// Image is that of the pods that send them.
	Image string
	// Keep leaves the pods in the clusters.
	Keep bool
	// Progress is told in which clusters pods are about to run. It returns say, which is told what begins in each of them
	// (nothing at the end), and stop.
	Progress func(clusters []string) (say func(cluster, what string), stop func())
}

// Verdict is what a judgement came to.
type Verdict struct {
	Results []check.Result
	// Traffic is what became of the requests; nil where none were sent.
	Traffic *snapshot.Traffic
	// Removal is that of the pods that sent them; nil where there are none to remove.
	Removal *Removal
}

// Removal is of what was put into clusters to look. It is on its way.
type Removal struct {
	Clusters []string
	// Wait waits until it is over; its error says what could not be removed.
	Wait func() error
}

// Verify looks at a finished mesh, and judges it. There may be something to remove with an error, too.
func (s Session) Verify(ctx context.Context, request Verify) (Verdict, error) {
	var removal *Removal
	st, err := s.lookAtMesh(ctx, request.Remotes, func(st *state, target observe.Target) (traffic *snapshot.Traffic, err error) {
		if request.Traffic != nil {
			traffic, removal, err = s.sendTraffic(ctx, st, target, *request.Traffic)
		}
		return traffic, err
	})
	if err != nil {
		return Verdict{Removal: removal}, err
	}
	results := check.Verify(st.mesh, st.snapshot, s.charts(), s.Caller)
	return Verdict{Results: results, Traffic: st.snapshot.Traffic, Removal: removal}, nil
}

// sendTraffic puts probes into the clusters that can run them, and begins to remove them.
func (s Session) sendTraffic(ctx context.Context, st *state, target observe.Target, how TrafficOptions) (*snapshot.Traffic, *Removal, error) {
	options := probe.Options{Target: target, Image: how.Image, Keep: how.Keep, Count: callsPerPair, Settle: settle, Caller: s.Caller}
	for _, c := range st.mesh.Clusters {
		if seen := st.snapshot.Clusters[c.Name]; seen != nil && seen.Secret == "" && seen.ReadyNodes > 0 {
			options.Clusters = append(options.Clusters, c.Name)
		}
	}
	say, stop := how.Progress(options.Clusters)
	traffic, removed, err := probe.Run(ctx, st.clusters, st.snapshot, options, say)
	for _, name := range options.Clusters {
		say(name, "")
	}
	stop()
	if how.Keep {
		return traffic, nil, err
	}
	return traffic, &Removal{Clusters: options.Clusters, Wait: removed}, err
}
