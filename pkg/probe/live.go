package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// oneLook bounds each live call, so that something that hangs costs that long once.
const oneLook = 3 * time.Second

// dryRunTime bounds the call for which the API server calls istiod.
const dryRunTime = 2 * oneLook

// Target is the mesh whose evidence is wanted.
type Target struct {
	// Primary is the name of the primary in the snapshot and among the clusters.
	Primary string
	// Namespace is Istio's, Revision the mesh's; empty is the default one.
	Namespace, Revision string
}

// Live adds to a snapshot what only live calls can tell: whether pods would get a sidecar, whether the remote secrets'
// credentials are of use, and how the gateway answers. Everything is asked at once. What could not be asked, since the
// cluster does not answer or the user may not, is noted as unreadable.
func Live(ctx context.Context, clusters cluster.Set, s *observe.Snapshot, t Target) {
	var (
		asked sync.WaitGroup
		mu    sync.Mutex
		noted []func()
	)
	// What could not be asked is noted at the end: while others ask, they look at what is noted already.
	note := func(seen *observe.Cluster, part string, err error) {
		mu.Lock()
		defer mu.Unlock()
		noted = append(noted, func() {
			seen.Unreadable = append(seen.Unreadable, observe.Unreadable{What: part, Reason: err.Error()})
		})
	}
	for name, c := range clusters {
		if seen := s.Clusters[name]; seen != nil && answers(seen) {
			asked.Go(func() { dryRun(ctx, c, seen, t, note) })
		}
	}
	asked.Go(func() { Clocks(ctx, clusters, s) })
	if primary, seen := clusters[t.Primary], s.Clusters[t.Primary]; primary != nil && seen != nil && answers(seen) {
		asked.Go(func() { useCredentials(ctx, primary, s, t) })
		asked.Go(func() { callGateway(ctx, primary, seen, t) })
		asked.Go(func() { readGatewayPolicies(ctx, primary, seen, t, note) })
	}
	asked.Wait()
	for _, apply := range noted {
		apply()
	}
}

// notes takes what could not be asked, and why.
type notes func(seen *observe.Cluster, part string, err error)

func answers(seen *observe.Cluster) bool {
	_, silent := seen.CouldNotRead(observe.APIServer)
	return !silent
}

// dryRun creates a pod that is never kept. It goes the whole way of injection: API server, webhook, gateway, istiod.
func dryRun(ctx context.Context, c *cluster.Cluster, seen *observe.Cluster, t Target, note notes) {
	if len(seen.Injectors) == 0 {
		return // nothing would be called; the checks of the injectors say so
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(whole, dryRunTime)
	defer cancel()
	pod, err := c.Kube().CoreV1().Pods(metav1.NamespaceDefault).Create(ctx,
		istio.InjectionProbe(metav1.NamespaceDefault, t.Revision), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	switch {
	case istio.MayNot(err):
		note(seen, observe.InjectionPart, err)
		return
	case err != nil && whole.Err() != nil: // the command's own time has ended, which says nothing of istiod
		note(seen, observe.InjectionPart, context.Cause(whole))
		return
	case err == nil:
		err = istio.Injected(pod, seen.Name)
	case ctx.Err() != nil:
		err = fmt.Errorf("the API server does not answer within %s, since istiod does not answer it: %w", dryRunTime, err)
	}
	seen.Injection = &observe.Injection{}
	if err != nil {
		seen.Injection.Error = err.Error()
	}
}
