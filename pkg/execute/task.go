package execute

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// task is how an action is carried out.
type task interface {
	do(ctx context.Context, w waiter) (run.Result, error)
	// dryRun does as much of it as leaves all clusters as they are.
	dryRun(ctx context.Context, w waiter) (run.Result, error)
}

// objectSet are objects that are applied together.
type objectSet struct {
	// name is that of their ApplySet; empty for objects that are in none.
	name string
	// objects are empty where nothing is needed.
	objects []*unstructured.Unstructured
	// live are those of them that were read just now, as they are in the cluster; nil for one that is not there.
	live map[*unstructured.Unstructured]*unstructured.Unstructured
}

// applyTask applies objects, which are made when it runs.
type applyTask struct {
	*Executor
	step    plan.Step
	objects func(ctx context.Context, c *cluster.Cluster) (objectSet, error)
}

// applies is the task of an action of which objects are made.
func applies[A plan.Action](e *Executor, step plan.Step, action A, objects func(context.Context, *cluster.Cluster, A) (objectSet, error)) applyTask {
	return applyTask{e, step, func(ctx context.Context, c *cluster.Cluster) (objectSet, error) { return objects(ctx, c, action) }}
}

func (t applyTask) do(ctx context.Context, w waiter) (run.Result, error) {
	c := w.cluster
	set, err := t.objects(ctx, c)
	if err != nil {
		return run.Result{}, err
	}
	if len(set.objects) == 0 {
		return run.Result{Detail: "not needed"}, nil
	}
	applier := apply.Applier{
		Resources: c.ResourceFor, Live: set.live, FieldManager: wellknown.FieldManager, ForceConflicts: t.ForceConflicts, Yield: istio.Yield,
		DryRun: t.DryRun,
	}
	if t.Done != nil {
		applier.Done = func(result apply.Result) { t.Done(t.step, result) }
	}
	objects := set.objects
	if set.name != "" {
		record, err := t.record(c.Name, set.name)
		if err != nil {
			return run.Result{}, err
		}
		objects = t.inSets(set, record)
	}
	outcome, err := applier.Apply(ctx, objects)
	return run.Result{Detail: outcome.String(), Wrote: outcome.Wrote()}, err
}

// dryRun is do: the Applier keeps nothing in a dry run.
func (t applyTask) dryRun(ctx context.Context, w waiter) (run.Result, error) { return t.do(ctx, w) }

// changeTask changes a cluster otherwise than by applying objects.
type changeTask struct {
	change func(ctx context.Context, w waiter) (run.Result, error)
	// would says what it would do, in a dry run.
	would string
}

// changes is the task of an action that is carried out by a function.
func changes[A plan.Action](action A, change func(context.Context, waiter, A) (run.Result, error), would string) changeTask {
	return changeTask{func(ctx context.Context, w waiter) (run.Result, error) { return change(ctx, w, action) }, would}
}

func (t changeTask) do(ctx context.Context, w waiter) (run.Result, error) { return t.change(ctx, w) }

func (t changeTask) dryRun(context.Context, waiter) (run.Result, error) {
	return run.Result{Detail: t.would}, nil
}

// waitTask waits for a condition.
type waitTask struct {
	// what names what it waits for.
	what string
	look condition
}

func (t waitTask) do(ctx context.Context, w waiter) (run.Result, error) {
	seen, err := w.until(ctx, t.what, t.look)
	return run.Result{Detail: seen}, err
}

// dryRun waits for nothing, since a dry run has changed nothing that could be waited for.
func (waitTask) dryRun(context.Context, waiter) (run.Result, error) {
	return run.Result{Detail: "not waited for"}, nil
}
