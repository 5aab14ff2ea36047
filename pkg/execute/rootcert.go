package execute

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/obstacle"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// hasRootCert waits for the mesh's root certificate in Istio's namespace.
func (e *Executor) hasRootCert(c *cluster.Cluster, discovery snapshot.DiscoverySelectors) condition {
	return func(ctx context.Context) (bool, string, error) {
		there, never, err := e.rootCert(ctx, c, discovery)
		switch {
		case err != nil || there:
			return there, "there", err
		case never.Command != nil:
			return false, "", permanentError{fmt.Errorf("%s\n  → %s", never.What, e.kubectl(c, never.Command...))}
		case never.What != "":
			return false, "", permanentError{errors.New(never.What)}
		}
		return false, "not written by istiod yet", nil
	}
}

// rootCert looks for the root certificate in Istio's namespace of a cluster. Where it is missing there may be a reason for
// which it never comes.
func (e *Executor) rootCert(ctx context.Context, c *cluster.Cluster, discovery snapshot.DiscoverySelectors) (there bool, never obstacle.Obstacle, err error) {
	namespace := e.Mesh.Namespace
	_, err = c.Kube().CoreV1().ConfigMaps(namespace).Get(ctx, wellknown.RootCertConfigMap, metav1.GetOptions{})
	if err == nil || !apierrors.IsNotFound(err) {
		return err == nil, obstacle.Obstacle{}, err
	}
	if len(discovery) == 0 {
		return false, obstacle.Obstacle{}, nil
	}
	ns, err := c.Kube().CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if err != nil || discovery.Select(ns.Labels) {
		return false, obstacle.Obstacle{}, err
	}
	never = obstacle.Obstacle{
		Reason: "NotSelected", Final: true, Command: discovery.LabelArgs(namespace, ns.Labels),
		What: fmt.Sprintf("istiod never writes ConfigMap %s into namespace %s, which none of the mesh's discoverySelectors selects", wellknown.RootCertConfigMap, namespace),
	}
	if never.Command == nil {
		never.What += ", whatever label it is given: change these selectors (meshConfig.discoverySelectors, in the primary)"
	}
	return false, never, nil
}

// missingRootCert is the obstacle of a Deployment whose pods mount a root certificate that never comes.
func (r *rolloutWait) missingRootCert(ctx context.Context) obstacle.Obstacle {
	if len(r.discovery) == 0 {
		return obstacle.Obstacle{}
	}
	_, never, _ := r.rootCert(ctx, r.cluster, r.discovery) // what can't be looked at is none
	return never
}
