package observe

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// dryRunTime is what the API server has for a call for which it calls istiod: it then says itself that it got no answer.
const dryRunTime = 5 * time.Second

// addInjection finds out whether pods of a cluster get their sidecar.
func addInjection(ctx context.Context, c *cluster.Cluster, name string, seen *snapshot.Cluster, t Target, found *findings) {
	if len(seen.Injectors) == 0 {
		return // nothing would be called; the checks of the injectors say so
	}
	refused, err := Injects(ctx, c, seen.Name, t.Revision)
	if err != nil {
		found.couldNot(ctx, name, snapshot.InjectionPart, err)
		return
	}
	injection := &snapshot.Injection{}
	if refused != nil {
		injection.Error = refused.Error()
	}
	found.add(name, func(c *snapshot.Cluster) { c.Injection = injection })
}

// Injects creates a pod in a dry run, which goes the whole way of injection: API server, webhook, gateway, istiod. refused is why
// it got no sidecar that belongs to the cluster of that name; err is why it could not be asked.
func Injects(ctx context.Context, c *cluster.Cluster, name, revision string) (refused, err error) {
	pod := istio.InjectionProbe(metav1.NamespaceDefault, revision)
	err = c.Kube().CoreV1().RESTClient().Post().Namespace(pod.Namespace).Resource("pods").
		VersionedParams(&metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}, scheme.ParameterCodec).
		Param("timeout", dryRunTime.String()). // Timeout would end the call from here, too, before the API server can say so
		Body(pod).Do(ctx).Into(pod)
	switch {
	case err == nil:
		return istio.Injected(pod, name), nil
	case istio.MayNot(err) || !cluster.Answered(err) && !overdue(err):
		return nil, err
	case overdue(err):
		return fmt.Errorf("the API server gave up after %s, since istiod, or another webhook, does not answer it: %w", dryRunTime, err), nil
	}
	return err, nil
}

// overdue is true where the API server itself says that the time that it was given is over.
func overdue(err error) bool {
	return apierrors.IsTimeout(err) && !apierrors.IsUnexpectedServerError(err)
}
