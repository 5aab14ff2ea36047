package execute

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

func hasAddress(c *cluster.Cluster, namespace string) condition {
	begun := false
	return func(ctx context.Context) (bool, string, error) {
		service, err := c.Kube().CoreV1().Services(namespace).Get(ctx, wellknown.EastWestGateway, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		address, _ := istio.AddressOf(service)
		switch {
		case !facts.IsAttachable(address):
			return false, "", permanentError{fmt.Errorf(
				"the Service %s has only the IPv6 address %s, which Istio's charts for remotes do not take; say with --address by which IPv4 address or hostname it is reached",
				service.Name, address)}
		case address != "":
			return true, address, nil
		}
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
			return false, "", permanentError{fmt.Errorf(
				"the Service %s is of type %s, which has no external address; say with --address where it is reached", service.Name, service.Spec.Type)}
		}
		if !begun {
			begun = true
			return false, "pending", nil
		}
		return false, pendingAddress(ctx, c, service), nil
	}
}

// pendingAddress explains why a load balancer has no address, from the events that its controller left.
func pendingAddress(ctx context.Context, c *cluster.Cluster, service *corev1.Service) string {
	events, err := c.Kube().CoreV1().Events(service.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": "Service", "involvedObject.name": service.Name}.String(),
	})
	if err != nil {
		return fmt.Sprintf("pending; its events can't be read: %v", err)
	}
	var last *corev1.Event
	for i, e := range events.Items {
		if last == nil || last.LastTimestamp.Before(&e.LastTimestamp) {
			last = &events.Items[i]
		}
	}
	if last == nil {
		return "pending, and no controller has said anything about it: does this cluster have one for Services of type " +
			"LoadBalancer (a cloud's, MetalLB)? Without one, say with --address where the gateway is reached"
	}
	return fmt.Sprintf("pending; the load balancer's controller says: %s: %s", last.Reason, last.Message)
}

func hasToken(c *cluster.Cluster, namespace string) condition {
	return func(ctx context.Context) (bool, string, error) {
		secret, err := readToken(ctx, c, namespace)
		if err != nil {
			return false, "", err
		}
		if _, _, filled := istio.TokenOf(secret); filled {
			return true, "there", nil
		}
		return false, "not filled yet: the controller manager's token controller does that", nil
	}
}

func serves(c *cluster.Cluster, namespace string) condition {
	resource := istio.ReadInRemotes()
	return func(ctx context.Context) (bool, string, error) {
		_, err := c.Dynamic().Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 1})
		if apierrors.IsNotFound(err) {
			return false, resource.GroupResource().String() + " are not served yet", nil
		}
		return err == nil, "served", err
	}
}

func hasCABundle(c *cluster.Cluster, revision string) condition {
	return func(ctx context.Context) (bool, string, error) {
		list, err := c.Kube().AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx,
			metav1.ListOptions{LabelSelector: wellknown.InjectorSelector + "," + wellknown.RevisionLabel + "=" + revision})
		if err != nil {
			return false, "", err
		}
		if len(list.Items) == 0 {
			return false, "no injector webhook of revision " + revision, nil
		}
		for _, configuration := range list.Items {
			for _, webhook := range configuration.Webhooks {
				if len(webhook.ClientConfig.CABundle) == 0 {
					return false, configuration.Name + " has no caBundle", nil
				}
			}
		}
		return true, fmt.Sprintf("in %d webhook configurations", len(list.Items)), nil
	}
}

func injects(c *cluster.Cluster, revision, name string) condition {
	return func(ctx context.Context) (bool, string, error) {
		pod, err := c.Kube().CoreV1().Pods(metav1.NamespaceDefault).Create(ctx,
			istio.InjectionProbe(metav1.NamespaceDefault, revision), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return false, "", err
		}
		if err := istio.Injected(pod, name); err != nil {
			return false, "", err
		}
		return true, "a dry-run pod gets its sidecar", nil
	}
}
