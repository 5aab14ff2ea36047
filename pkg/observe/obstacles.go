package observe

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func readLoadBalancers(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	nodes, err := r.nodes() // which another part lists meanwhile
	if err != nil {
		return nil, err
	}
	var found snapshot.LoadBalancers
	for _, s := range list.Items {
		switch {
		case s.Spec.Type != corev1.ServiceTypeLoadBalancer:
		case len(s.Status.LoadBalancer.Ingress) > 0:
			found.Served++
			if names := istio.Hostnames(&s); len(names) > 0 {
				found.Hostname = names[0]
			}
		default:
			found.Pending++
		}
	}
	// kind's nodes have a provider, too, which gives no load balancers.
	cloud := slices.ContainsFunc(nodes, func(n corev1.Node) bool {
		return n.Spec.ProviderID != "" && !strings.HasPrefix(n.Spec.ProviderID, "kind:")
	})
	return func(c *snapshot.Cluster) { c.LoadBalancers, c.Cloud = found, cloud }, nil
}

// readPodSecurity asks whether pods may do what Istio's init container does: in general, by a dry run, and in the
// namespaces that ask for sidecars, by their labels.
func readPodSecurity(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	namespaces, err := r.Kube().CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var restricted []string
	for _, ns := range namespaces.Items {
		level := ns.Labels["pod-security.kubernetes.io/enforce"]
		if istio.AsksForInjection(ns.Labels) && (level == "restricted" || level == "baseline") {
			restricted = append(restricted, ns.Name+" ("+level+")")
		}
	}
	_, err = r.Kube().CoreV1().Pods(metav1.NamespaceDefault).Create(ctx, istio.SetupProbe(metav1.NamespaceDefault),
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	reason := ""
	if apierrors.IsForbidden(err) && strings.Contains(err.Error(), "PodSecurity") {
		reason, err = err.Error(), nil
	}
	return func(c *snapshot.Cluster) { c.Restricted, c.PodSecurity = restricted, reason }, err
}
