package execute

import (
	"context"
	"fmt"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// deleteRemote deletes a part of the remote profile, as it was recorded when it was applied.
func (e *Executor) deleteRemote(ctx context.Context, w waiter, action plan.DeleteRemote) (run.Result, error) {
	c := w.cluster
	deleter := apply.Deleter{
		Dynamic: c.Dynamic(),
		Mapper:  restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.Kube().Discovery())),
	}
	sets := []string{e.partSet(action.Part)}
	if action.Shared {
		sets = append(sets, e.sharedSet(sets[0]))
	}
	deleted := 0
	for _, set := range sets {
		n, err := deleter.Delete(ctx, e.applySet(set))
		if deleted += n; err != nil {
			return run.Result{}, fmt.Errorf("cluster %s: %w", c.Name, err)
		}
	}
	return run.Result{Detail: fmt.Sprintf("%d deleted", deleted), Wrote: deleted > 0}, nil
}
