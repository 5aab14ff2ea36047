package observe

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// Obstacles is what may stand in the way of an installation; `preflight` looks at it.
type Obstacles struct {
	// LoadBalancers counts the cluster's Services of type LoadBalancer, by whether they have an address.
	LoadBalancers LoadBalancers `json:"loadBalancers"`
	// Cloud is true when the nodes say that a cloud provider made them.
	Cloud bool `json:"cloud,omitempty"`
	// Restricted are the namespaces that ask for sidecars and whose pod security standard forbids their set-up.
	Restricted []string `json:"restricted,omitempty"`
	// PodSecurity is why a dry-run pod with the capabilities of a sidecar's set-up was not admitted, empty when it was.
	PodSecurity string `json:"podSecurity,omitempty"`
}

// LoadBalancers counts Services of that type.
type LoadBalancers struct {
	Served  int `json:"served"`
	Pending int `json:"pending"`
	// Hostname is one that a Service of that type in the cluster has got as its address, if any has.
	Hostname string `json:"hostname,omitempty"`
}

func readLoadBalancers(ctx context.Context, r *reader) (func(*Cluster), error) {
	list, err := r.Kube().CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found LoadBalancers
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
	nodes, err := r.Kube().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	// kind's nodes have a provider, too, which gives no load balancers.
	cloud := slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool {
		return n.Spec.ProviderID != "" && !strings.HasPrefix(n.Spec.ProviderID, "kind:")
	})
	return func(c *Cluster) { c.LoadBalancers, c.Cloud = found, cloud }, nil
}

// readPodSecurity asks whether pods may do what Istio's init container does: in general, by a dry run, and in the
// namespaces that ask for sidecars, by their labels.
func readPodSecurity(ctx context.Context, r *reader) (func(*Cluster), error) {
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
	return func(c *Cluster) { c.Restricted, c.PodSecurity = restricted, reason }, err
}
