package observe

import (
	"context"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// oneCall bounds each live call, so that something that hangs costs that long once.
const oneCall = 3 * time.Second

// Target is the mesh whose evidence is wanted.
type Target struct {
	// Primary is the name of the primary in the snapshot and among the clusters.
	Primary string
	// Namespace is Istio's, Revision the mesh's; empty is the default one.
	Namespace, Revision string
}

// Live returns the snapshot with what only live calls can tell: whether pods would get a sidecar, whether the remote secrets'
// credentials are of use, and how the gateway answers. Everything is asked at once. What could not be asked, since the
// cluster does not answer or the user may not, is noted as unreadable.
func Live(ctx context.Context, clusters cluster.Set, s *snapshot.Snapshot, t Target) *snapshot.Snapshot {
	var (
		asked sync.WaitGroup
		found findings
	)
	for name, c := range clusters {
		if seen := s.Clusters[name]; seen != nil && reached(seen) {
			asked.Go(func() { addInjection(ctx, c, name, seen, t, &found) })
			asked.Go(func() { addClock(ctx, c, name, seen, &found) })
		}
	}
	if primary, seen := clusters[t.Primary], s.Clusters[t.Primary]; primary != nil && seen != nil && reached(seen) {
		asked.Go(func() { addUses(ctx, primary, s, t, &found) })
		asked.Go(func() { addPorts(ctx, primary, seen, t, &found) })
		asked.Go(func() { addGatewayPolicies(ctx, primary, seen, t, &found) })
	}
	asked.Wait()
	return found.with(s)
}

// reached is true for a cluster whose API server could be called and took the user's credentials.
func reached(seen *snapshot.Cluster) bool {
	_, unreached := seen.CouldNotRead(snapshot.APIServer)
	return !unreached
}
