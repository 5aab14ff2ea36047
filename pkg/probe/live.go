package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// oneLook bounds each live call, so that something that hangs costs that long once.
const oneLook = 3 * time.Second

// dryRunTime is what the API server has for a call for which it calls istiod: it then says itself that it got no answer.
const dryRunTime = 5 * time.Second

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
func Live(ctx context.Context, clusters cluster.Set, s *snapshot.Snapshot, t Target) {
	var (
		asked sync.WaitGroup
		mu    sync.Mutex
		noted []func()
	)
	// What could not be asked is noted at the end: while others ask, they look at what is noted already.
	note := func(seen *snapshot.Cluster, part string, err error) {
		mu.Lock()
		defer mu.Unlock()
		noted = append(noted, func() {
			seen.Unreadable = append(seen.Unreadable, observe.CouldNot(ctx, part, err))
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
		asked.Go(func() { callGateway(ctx, primary, seen, t, note) })
		asked.Go(func() { readGatewayPolicies(ctx, primary, seen, t, note) })
	}
	asked.Wait()
	for _, apply := range noted {
		apply()
	}
}

// notes takes what could not be asked, and why.
type notes func(seen *snapshot.Cluster, part string, err error)

func answers(seen *snapshot.Cluster) bool {
	_, silent := seen.CouldNotRead(snapshot.APIServer)
	return !silent
}

// dryRun creates a pod that is never kept. It goes the whole way of injection: API server, webhook, gateway, istiod.
func dryRun(ctx context.Context, c *cluster.Cluster, seen *snapshot.Cluster, t Target, note notes) {
	if len(seen.Injectors) == 0 {
		return // nothing would be called; the checks of the injectors say so
	}
	pod := istio.InjectionProbe(metav1.NamespaceDefault, t.Revision)
	err := c.Kube().CoreV1().RESTClient().Post().Namespace(pod.Namespace).Resource("pods").
		VersionedParams(&metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}, scheme.ParameterCodec).
		Param("timeout", dryRunTime.String()). // Timeout would end the call from here, too, before the API server can say so
		Body(pod).Do(ctx).Into(pod)
	var refused error
	switch {
	case err == nil:
		refused = istio.Injected(pod, seen.Name)
	case istio.MayNot(err) || !cluster.Answered(err) && !overdue(err):
		note(seen, snapshot.InjectionPart, err)
		return
	case overdue(err):
		refused = fmt.Errorf("the API server gave up after %s, since istiod, or another webhook, does not answer it: %w", dryRunTime, err)
	default:
		refused = err
	}
	seen.Injection = &snapshot.Injection{}
	if refused != nil {
		seen.Injection.Error = refused.Error()
	}
}

// overdue is true where the API server itself says that the time that it was given is over.
func overdue(err error) bool {
	return apierrors.IsTimeout(err) && !apierrors.IsUnexpectedServerError(err)
}
