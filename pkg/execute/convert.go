package execute

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// dropRemoteProfile takes from a remote what would have it taken for one, or call another cluster's istiod, once it has a
// control plane of its own. All else is applied over.
func (e *Executor) dropRemoteProfile(ctx context.Context, w waiter, action plan.DropRemoteProfile) (run.Result, error) {
	c := w.cluster
	annotation := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:null}}}`, wellknown.ControlPlaneClustersAnnotation)
	options := metav1.PatchOptions{FieldManager: wellknown.FieldManager}
	if _, err := c.Kube().CoreV1().Namespaces().Patch(ctx, e.Mesh.Namespace, types.MergePatchType, annotation, options); err != nil {
		return run.Result{}, fmt.Errorf("cluster %s: namespace %s: %w", c.Name, e.Mesh.Namespace, err)
	}
	deleted := 0
	count := func(kind, name string, err error) error {
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cluster %s: %s %s in %s: %w", c.Name, kind, name, e.Mesh.Namespace, err)
		}
		deleted++
		return nil
	}
	for _, name := range action.Slices {
		err := c.Kube().DiscoveryV1().EndpointSlices(e.Mesh.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
		if err := count("EndpointSlice", name, err); err != nil {
			return run.Result{}, err
		}
	}
	configMaps := c.Kube().CoreV1().ConfigMaps(e.Mesh.Namespace)
	records, err := configMaps.List(ctx, metav1.ListOptions{LabelSelector: apply.SetIDLabel})
	if err != nil {
		return run.Result{}, fmt.Errorf("cluster %s: the records of attach-remote in %s: %w", c.Name, e.Mesh.Namespace, err)
	}
	for _, record := range records.Items {
		if !strings.HasPrefix(record.Name, wellknown.FieldManager+"-reader") && !strings.HasPrefix(record.Name, wellknown.FieldManager+"-remote") {
			continue
		}
		err := configMaps.Delete(ctx, record.Name, metav1.DeleteOptions{})
		if err := count("ConfigMap", record.Name, err); err != nil {
			return run.Result{}, err
		}
	}
	return run.Result{Detail: fmt.Sprintf("%d deleted", deleted), Wrote: true}, nil
}
