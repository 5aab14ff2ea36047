// Package probe gathers the evidence that only traffic can give: it puts a small program into each cluster of a mesh
// for a moment, lets each call all the others, and takes everything away again.
package probe

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Options say how to probe.
type Options struct {
	observe.Target
	// Image is that of cmd/mesh-probe.
	Image string
	// Clusters are those to put a probe in, in the user's order.
	Clusters []string
	// Count is how many calls are made from each cluster to each, in each protocol.
	Count int
	// Settle bounds the wait until proxies know the probes.
	Settle time.Duration
	// Keep leaves the probes in the clusters.
	Keep bool
	// Caller is how the user called, for commands that are shown.
	Caller command.Caller
}

// Run probes the clusters and says what it is doing through say. What fails on the way is in the result, and so is what was
// not finished when the time was over; the error is that ctx was cancelled. The probes are being removed when it returns,
// whatever has happened: gone waits for that, and its error says what could not be removed.
func Run(
	ctx context.Context, clusters cluster.Set, s *snapshot.Snapshot, o Options, say func(cluster, what string),
) (traffic *snapshot.Traffic, gone func() error, err error) {
	r := &runner{
		Options: o, clusters: clusters, seen: s, say: say,
		traffic: &snapshot.Traffic{
			Namespace: namespacePrefix + rand.String(5), Unready: map[string]string{}, Undialled: map[string]string{},
		},
	}
	r.start(ctx)
	r.callAll(ctx)
	r.dialling.Wait()
	r.readPolicies(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
		err = cause
	}
	return r.traffic, r.removal(ctx), err
}

// runner is one run. What its goroutines find they note under mu.
type runner struct {
	Options
	clusters cluster.Set
	seen     *snapshot.Snapshot
	say      func(cluster, what string)
	dialling sync.WaitGroup

	mu      sync.Mutex
	traffic *snapshot.Traffic
}

func (r *runner) note(note func(t *snapshot.Traffic)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	note(r.traffic)
}

// each does something on clusters at once.
func (r *runner) each(names []string, do func(name string, c *cluster.Cluster)) {
	var running sync.WaitGroup
	for _, name := range names {
		running.Go(func() { do(name, r.clusters[name]) })
	}
	running.Wait()
}

// removal begins to remove the probes, unless they are to stay.
func (r *runner) removal(ctx context.Context) (gone func() error) {
	if r.Keep {
		return func() error { return nil }
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	var failed []error
	var removed sync.WaitGroup
	removed.Go(func() {
		r.each(r.Clusters, func(_ string, c *cluster.Cluster) {
			if err := removeNamespace(bounded, c, r.traffic.Namespace); err != nil {
				r.note(func(t *snapshot.Traffic) { failed = append(failed, r.leftBehind(err, c, t.Namespace)) })
			}
		})
	})
	return func() error {
		defer cancel()
		removed.Wait()
		return errors.Join(failed...)
	}
}
