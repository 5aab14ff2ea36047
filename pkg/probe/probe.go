// Package probe gathers the evidence that only traffic can give: it puts a small program into each cluster of a mesh
// for a moment, lets each call all the others, and takes everything away again.
package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
)

// Options say how to probe.
type Options struct {
	// Revision is the mesh's; empty is the default one.
	Revision string
	// Image is that of cmd/mesh-probe.
	Image string
	// Primary is the cluster whose istiod manages all of them.
	Primary string
	// Clusters are those to put a probe in, in the user's order.
	Clusters []string
	// Count is how many calls are made from each cluster to each, in each protocol.
	Count int
	// Settle bounds the wait until proxies know the probes.
	Settle time.Duration
	// Keep leaves the probes in the clusters.
	Keep bool
}

// cleanUp bounds the removal, which goes on when the user has interrupted.
const cleanUp = 30 * time.Second

// abandoned is the age at which a probe is taken for one whose run was killed.
const abandoned = 15 * time.Minute

// Run probes the clusters and says what it is doing through say. What fails on the way is in the result. The probes'
// namespaces are removed before it returns, also when ctx has ended; the error says so when they could not be, or that
// ctx has ended.
func Run(ctx context.Context, clusters cluster.Set, o Options, say func(cluster, what string)) (_ *observe.Traffic, err error) {
	r := &runner{
		Options: o, clusters: clusters, say: say,
		traffic: &observe.Traffic{Namespace: namespacePrefix + rand.String(5), Unready: map[string]string{}},
	}
	if !o.Keep {
		defer func() {
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
			defer cancel()
			err = errors.Join(err, r.remove(bounded))
		}()
	}
	r.start(ctx)
	r.callAll(ctx)
	return r.traffic, context.Cause(ctx)
}

type runner struct {
	Options
	clusters cluster.Set
	say      func(cluster, what string)

	mu      sync.Mutex
	traffic *observe.Traffic
}

// each does something on all clusters at once.
func (r *runner) each(names []string, do func(name string, c *cluster.Cluster)) {
	var running sync.WaitGroup
	for _, name := range names {
		running.Go(func() { do(name, r.clusters[name]) })
	}
	running.Wait()
}

// start puts a probe into each cluster and notes which are not ready, and why.
func (r *runner) start(ctx context.Context) {
	r.each(r.Clusters, func(name string, c *cluster.Cluster) {
		if err := r.startOne(ctx, name, c); err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.traffic.Unready[name] = err.Error()
		}
	})
}

func (r *runner) startOne(ctx context.Context, name string, c *cluster.Cluster) error {
	if err := removeAbandoned(ctx, c); err != nil {
		return err
	}
	r.say(name, "start the probe")
	ns := r.traffic.Namespace
	if _, err := c.Kube().CoreV1().Namespaces().Create(ctx, namespace(ns, r.Revision), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create namespace %s: %w", ns, err)
	}
	if _, err := c.Kube().CoreV1().ServiceAccounts(ns).Create(ctx, account(name), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create the probe's account: %w", err)
	}
	if err := r.createServices(ctx, c); err != nil {
		return err
	}
	if name == r.Primary {
		allow := policy(ns)
		resource, err := c.DynamicClientFor(allow.GroupVersionKind(), allow, ns)
		if err != nil {
			return fmt.Errorf("create the probe's AuthorizationPolicy: %w", err)
		}
		if _, err := resource.Create(ctx, allow, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create the probe's AuthorizationPolicy: %w", err)
		}
	}
	if err := r.awaitRoot(ctx, c); err != nil {
		return err
	}
	created, err := c.Kube().CoreV1().Pods(ns).Create(ctx, pod(name, r.Image, r.Revision), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create the probe's pod: %w", err)
	}
	if err := istio.Injected(created, name); err != nil {
		return fmt.Errorf("the probe's pod in %s: %w", ns, err)
	}
	return awaitReady(ctx, c, ns)
}

// createServices makes, in every cluster, a Service for each cluster's probe: a name must be known where the caller
// is.
func (r *runner) createServices(ctx context.Context, c *cluster.Cluster) error {
	selectors := map[string]map[string]string{everywhere: {appLabel: app}}
	for i, name := range r.Clusters {
		selectors[serviceName(i, name)] = map[string]string{appLabel: app, clusterLabel: name}
	}
	for name, selector := range selectors {
		_, err := c.Kube().CoreV1().Services(r.traffic.Namespace).Create(ctx, service(name, selector), metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("create Service %s: %w", name, err)
		}
	}
	return nil
}

// awaitRoot waits for what every sidecar mounts. A pod that is created before it is there starts seconds later.
func (r *runner) awaitRoot(ctx context.Context, c *cluster.Cluster) error {
	ns := r.traffic.Namespace
	err := wait.PollUntilContextTimeout(ctx, 30*time.Millisecond, r.Settle, true, func(ctx context.Context) (bool, error) {
		_, err := c.Kube().CoreV1().ConfigMaps(ns).Get(ctx, istio.RootCertConfigMap, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return false, err
		}
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("istiod has not written ConfigMap %s into the new namespace %s: %w", istio.RootCertConfigMap, ns, err)
	}
	return nil
}

// callAll lets every ready probe call every cluster's, and the Service that is everywhere.
func (r *runner) callAll(ctx context.Context) {
	var ready []string
	for _, name := range r.Clusters {
		if _, unready := r.traffic.Unready[name]; !unready {
			ready = append(ready, name)
		}
	}
	targets := r.targets(ready)
	calls := make(map[string][]observe.Call, len(ready))
	r.each(ready, func(name string, c *cluster.Cluster) {
		r.say(name, fmt.Sprintf("call %d clusters", len(ready)))
		made, err := r.callFrom(ctx, name, c, targets)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.traffic.Unready[name] = err.Error()
		}
		calls[name] = made
	})
	for _, name := range ready {
		r.traffic.Calls = append(r.traffic.Calls, calls[name]...)
	}
}

// target is a task with the cluster that it is to reach; empty for all.
type target struct {
	cluster string
	echo.Task
}

func (r *runner) targets(ready []string) []target {
	host := func(service string) string {
		return fmt.Sprintf("%s.%s.svc.cluster.local", service, r.traffic.Namespace)
	}
	var targets []target
	for i, name := range r.Clusters {
		if !slices.Contains(ready, name) {
			continue
		}
		for _, protocol := range []echo.Protocol{echo.HTTP, echo.GRPC, echo.TCP} {
			targets = append(targets, target{name, echo.Task{Protocol: protocol, Host: host(serviceName(i, name)), Count: r.Count}})
		}
	}
	return append(targets, target{"", echo.Task{Protocol: echo.HTTP, Host: host(everywhere), Count: r.Count * max(2, len(ready))}})
}

func (r *runner) callFrom(ctx context.Context, from string, c *cluster.Cluster, targets []target) ([]observe.Call, error) {
	tasks := make([]echo.Task, len(targets))
	for i, t := range targets {
		tasks[i] = t.Task
	}
	asked, err := json.Marshal(tasks)
	if err != nil {
		return nil, err
	}
	query := url.Values{"tasks": {string(asked)}, "settle": {r.Settle.String()}}
	body, err := istio.Get(ctx, c, r.traffic.Namespace, podName, "?"+query.Encode(), echo.PortControl)
	if err != nil {
		return nil, fmt.Errorf("ask the probe to call: %w", err)
	}
	var reports []echo.Report
	if err := json.Unmarshal(body, &reports); err != nil || len(reports) != len(targets) {
		return nil, fmt.Errorf("the probe answered something else than %d reports: %.80q", len(targets), body)
	}
	calls := make([]observe.Call, len(targets))
	for i, report := range reports {
		calls[i] = callOf(from, targets[i].cluster, report)
	}
	return calls, nil
}

// callOf sums a report up.
func callOf(from, to string, report echo.Report) observe.Call {
	call := observe.Call{
		From: from, To: to, Protocol: string(report.Protocol), Sent: report.Count, Answered: len(report.Answers),
		ByCluster: map[string]int{}, Error: report.Error,
	}
	for _, answer := range report.Answers {
		call.ByCluster[answer.Cluster]++
		if !slices.Contains(call.Peers, answer.Peer) {
			call.Peers = append(call.Peers, answer.Peer)
		}
	}
	slices.Sort(report.Times)
	if n := len(report.Times); n > 0 {
		call.P50, call.P99 = report.Times[n/2], report.Times[(n*99)/100]
	}
	return call
}

// removeAbandoned takes away what killed runs have left.
func removeAbandoned(ctx context.Context, c *cluster.Cluster) error {
	list, err := c.Kube().CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: labels.FormatLabels(markedLabels())})
	if err != nil {
		return fmt.Errorf("look for what earlier probes have left: %w", err)
	}
	for _, ns := range list.Items {
		if time.Since(ns.CreationTimestamp.Time) > abandoned && ns.DeletionTimestamp == nil {
			if err := c.Kube().CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("remove namespace %s, which an earlier probe has left: %w", ns.Name, err)
			}
		}
	}
	return nil
}

// remove takes the namespace away everywhere and waits until it is gone.
func (r *runner) remove(ctx context.Context) error {
	var failed []error
	r.each(r.Clusters, func(name string, c *cluster.Cluster) {
		r.say(name, "remove the probe")
		if err := removeNamespace(ctx, c, r.traffic.Namespace); err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			failed = append(failed, fmt.Errorf("%w; remove it with: kubectl --context %s delete namespace %s", err, c.Context, r.traffic.Namespace))
		}
	})
	return errors.Join(failed...)
}

func removeNamespace(ctx context.Context, c *cluster.Cluster, name string) error {
	namespaces := c.Kube().CoreV1().Namespaces()
	// A namespace that finds a pod in it looks again seconds later, so the pod goes first, and at once.
	none := int64(0)
	err := c.Kube().CoreV1().Pods(name).Delete(ctx, podName, metav1.DeleteOptions{GracePeriodSeconds: &none})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cluster %s: the probe's pod in namespace %s was left behind: %w", c.Name, name, err)
	}
	switch err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("cluster %s: namespace %s was left behind: %w", c.Name, name, err)
	}
	err = wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		return fmt.Errorf("cluster %s: namespace %s is being deleted, but not gone: %w", c.Name, name, err)
	}
	return nil
}
