package execute

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// waiter waits on one cluster until a condition holds or its context ends.
type waiter struct {
	cluster *cluster.Cluster
	say     func(string)
}

// condition looks once: done when it holds, else what was seen instead. An error that waiting can't change is a
// hopeless; any other is taken for temporary and looked at again.
type condition func(ctx context.Context) (done bool, seen string, err error)

// hopeless is an error that waiting can't change.
type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// lookTimeout bounds one look, so that an API server that hangs does not take the whole wait.
const lookTimeout = 15 * time.Second

// until polls a condition, quickly at first. When the context ends first, the error says what was seen last.
func (w waiter) until(ctx context.Context, what string, look condition) (string, error) {
	last := "nothing"
	backoff := wait.Backoff{Duration: 30 * time.Millisecond, Factor: 1.4, Cap: time.Second, Steps: 1 << 30, Jitter: 0.1}
	var seen string
	err := backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		bounded, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		done, now, err := look(bounded)
		switch {
		case errors.As(err, &hopeless{}):
			return false, err
		case err != nil:
			now = err.Error()
		}
		seen = now
		if !done && now != last && ctx.Err() == nil {
			last = now
			w.say(now)
		}
		return done && err == nil, nil
	})
	if err == nil {
		return seen, nil
	}
	if errors.As(err, &hopeless{}) {
		return "", fmt.Errorf("cluster %s: %w", w.cluster.Name, err)
	}
	return "", fmt.Errorf("cluster %s: %s: gave up waiting (%w); seen last: %s", w.cluster.Name, what, context.Cause(ctx), last)
}

func (e *Executor) await(ctx context.Context, w waiter, action plan.Action) (run.Result, error) {
	namespace := e.Mesh.Namespace
	var what string
	var look condition
	rescued := &rescue{Executor: e, cluster: w.cluster}
	switch action := action.(type) {
	case plan.AwaitDeployment:
		what, look = "Deployment "+action.Name, e.rolledOut(w.cluster, action.Name, action.Discovery)
	case plan.AwaitRestarted:
		what, look = "Deployment "+action.Name, (&restarted{
			rollout: e.rolledOut(w.cluster, action.Name, nil),
			leader:  (&succession{Executor: e, primary: w.cluster, remote: w.cluster}).condition,
		}).condition
	case plan.AwaitAddress:
		what, look = "address of Service "+wellknown.EastWestGateway, hasAddress(w.cluster, namespace)
	case plan.AwaitToken:
		what, look = "token in Secret "+wellknown.ReaderTokenSecret, hasToken(w.cluster, namespace)
	case plan.AwaitServed:
		what, look = "Istio's resources", serves(w.cluster, namespace)
	case plan.AwaitSynced:
		rescued.remote, rescued.allowed, rescued.look = action.Remote, action.Restart, e.outlook(w.cluster, action.Remote, synced)
		rescued.leader = (&succession{Executor: e, primary: w.cluster, remote: e.Clusters[action.Remote]}).condition
		what, look = "istiod's view of "+action.Remote, rescued.condition
	case plan.AwaitForgotten:
		rescued.remote, rescued.allowed, rescued.look = action.Remote, action.Restart, e.orBack(w.cluster, action.Remote, e.outlook(w.cluster, action.Remote, forgotten))
		what, look = "istiod's view of "+action.Remote, rescued.condition
	case plan.AwaitCABundle:
		what, look = "certificate in the injector's webhooks", hasCABundle(w.cluster, e.Mesh.RevisionLabel())
	case plan.AwaitRootCert:
		what, look = "ConfigMap "+wellknown.RootCertConfigMap, e.hasRootCert(w.cluster, action.Discovery)
	case plan.AwaitInjection:
		what, look = "injection of a dry-run pod", injects(w.cluster, e.Mesh.Revision, action.Cluster)
	default:
		return run.Result{}, fmt.Errorf("there is nothing to wait for in %T", action)
	}
	seen, err := w.until(ctx, what, look)
	if synced, is := action.(plan.AwaitSynced); is {
		e.release(ctx, synced.Remote)
	}
	return run.Result{Detail: seen, Wrote: rescued.wrote}, err
}

func hasAddress(c *cluster.Cluster, namespace string) condition {
	begun := false
	return func(ctx context.Context) (bool, string, error) {
		service, err := c.Kube().CoreV1().Services(namespace).Get(ctx, wellknown.EastWestGateway, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		address, _ := istio.AddressOf(service)
		switch {
		case !istio.Attachable(address):
			return false, "", hopeless{fmt.Errorf(
				"the Service %s has only the IPv6 address %s, which Istio's charts for remotes do not take; say with --address by which IPv4 address or hostname it is reached",
				service.Name, address)}
		case address != "":
			return true, address, nil
		}
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
			return false, "", hopeless{fmt.Errorf(
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
