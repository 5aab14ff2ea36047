// Package execute carries out the steps of a plan on live clusters.
package execute

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// rendering returns a remote's objects, which are rendered at the first call.
type rendering func() ([]*unstructured.Unstructured, error)

// Executor carries out steps.
type Executor struct {
	// Mesh is the complete mesh.
	Mesh mesh.Mesh
	// Clusters are its clusters, by name.
	Clusters cluster.Set
	// Caller is how the user called, for commands that are shown.
	Caller command.Caller
	// Charts render Istio's objects.
	Charts istio.Charts
	// Settings are the charts with the settings of the clusters that have others, by name.
	Settings map[string]istio.Charts
	// ForceConflicts takes fields over from other field managers.
	ForceConflicts bool
	// Version is kubectl-mesh's own, recorded with what it applies.
	Version string
	// Holder names this run, and who runs it, in the leases that it takes.
	Holder string
	// DryRun keeps nothing of what is applied.
	DryRun apply.DryRun
	// Done is told what became of each object that a step applied, of several at once; nil is told nothing.
	Done func(step plan.Step, result apply.Result)

	mu       sync.Mutex
	rendered map[istio.RemoteCluster]rendering
	// leases are those that the run holds, by remote.
	leases map[string]*lease
	// restarting is held while istiod is told to restart, and restarted is true once it was.
	restarting sync.Mutex
	restarted  bool
}

// Do carries out one step. It is a run.Do.
func (e *Executor) Do(ctx context.Context, step plan.Step, say func(string)) (run.Result, error) {
	c, found := e.Clusters[step.Cluster]
	if !found {
		return run.Result{}, fmt.Errorf("step %s is for cluster %q, which is not connected", step.ID, step.Cluster)
	}
	w := waiter{cluster: c, say: say}
	if step.Writes() {
		return e.write(ctx, w, step)
	}
	return e.await(ctx, w, step.Action)
}

func (e *Executor) write(ctx context.Context, w waiter, step plan.Step) (run.Result, error) {
	switch action := step.Action.(type) {
	case plan.DropRemoteSecrets:
		return e.drop(ctx, w, action)
	case plan.DropRemoteProfile:
		return e.dropRemoteProfile(ctx, w.cluster, action)
	case plan.RestartIstiod:
		_, err := e.restart(ctx, w.cluster)
		return run.Result{Detail: "restarting", Wrote: err == nil}, err
	case plan.ApplyRemoteSecret:
		other, err := e.holdToCreate(ctx, w, action.Remote)
		if err != nil {
			return run.Result{}, err
		}
		var result run.Result
		err = retry.RetryOnConflict(retry.DefaultRetry, func() error { // an edit between our look at it and the write is kept, too
			result, err = e.apply(ctx, w.cluster, step)
			return err
		})
		return after(other, result), err
	}
	return e.apply(ctx, w.cluster, step)
}

// apply writes a step's objects.
func (e *Executor) apply(ctx context.Context, c *cluster.Cluster, step plan.Step) (run.Result, error) {
	set, objects, err := e.objects(ctx, c, step.Action)
	if err != nil {
		return run.Result{}, err
	}
	if len(objects) == 0 {
		return run.Result{Detail: "not needed"}, nil
	}
	applier := apply.Applier{
		Resources: c.DynamicClientFor, FieldManager: wellknown.FieldManager, ForceConflicts: e.ForceConflicts, Yield: istio.Yield,
		DryRun: e.DryRun,
	}
	if e.Done != nil {
		applier.Done = func(result apply.Result) { e.Done(step, result) }
	}
	if set != "" {
		record, err := e.record(c.Name, set)
		if err != nil {
			return run.Result{}, err
		}
		objects = e.inSets(set, record, objects)
	}
	outcome, err := applier.Apply(ctx, objects)
	return run.Result{Detail: outcome.String(), Wrote: outcome.Wrote()}, err
}

// inSets records which objects belong together: what all revisions share in a set apart from the step's own.
func (e *Executor) inSets(own string, record map[string]string, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	sets := map[string][]*unstructured.Unstructured{}
	for _, object := range objects {
		name := own
		if istio.Shared(object) {
			// A set is recorded whole each time, so that those of different steps are different sets.
			name = strings.TrimSuffix(own, "-"+e.Mesh.Revision) + "-shared"
		}
		sets[name] = append(sets[name], object)
	}
	var all []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		set := apply.Set{Name: name, Namespace: e.Mesh.Namespace, Tooling: wellknown.FieldManager + "/" + e.Version}
		if name == own {
			set.Data = record
		}
		members, parent := set.Members(sets[name])
		all = append(append(all, members...), parent)
	}
	return all
}

// record is what is written down of the settings that a set of objects is made with.
func (e *Executor) record(cluster, set string) (map[string]string, error) {
	switch set {
	case e.set(istio.PrimarySet), istio.EastWestSet, e.set(istio.RemoteSet):
		return e.chartsOf(cluster).Record()
	}
	return nil, nil
}

// chartsOf are the charts with the settings of a cluster.
func (e *Executor) chartsOf(cluster string) istio.Charts {
	if charts, found := e.Settings[cluster]; found {
		return charts
	}
	return e.Charts
}

// dry is true when nothing is kept.
func (e *Executor) dry() bool { return e.DryRun != "" && e.DryRun != apply.DryRunNone }

// objects makes what a step applies, and names the set that it belongs to. No objects means that nothing is needed.
func (e *Executor) objects(ctx context.Context, c *cluster.Cluster, action plan.Action) (string, []*unstructured.Unstructured, error) {
	switch action := action.(type) {
	case plan.ApplyNamespace:
		object, err := istio.Unstructured(istio.Namespace(e.Mesh.Namespace, action.Network, action.ControlPlaneClusters))
		return "", []*unstructured.Unstructured{object}, err
	case plan.ApplyControlPlane:
		objects, err := e.chartsOf(c.Name).Primary(istio.Primary{
			Namespace: e.Mesh.Namespace, Revision: e.Mesh.Revision, MeshID: action.MeshID, Cluster: action.Cluster,
			Network: action.Network, Profile: action.Profile, DefaultTag: action.DefaultTag, CustomHosts: action.CustomHosts,
		})
		return e.set(istio.PrimarySet), objects, err
	case plan.ApplyCustomHosts:
		return e.customHosts(ctx, c, action)
	case plan.ApplyGateway:
		return e.gateway(ctx, c, action)
	case plan.ApplyExposure:
		return e.exposure(ctx, c, action)
	case plan.ApplyRemote:
		return e.remote(ctx, action)
	case plan.ApplyReaderToken:
		token, err := istio.Unstructured(istio.TokenSecret(e.Mesh.Namespace))
		return e.set(wellknown.FieldManager + "-reader"), []*unstructured.Unstructured{token}, err
	case plan.ApplyRemoteSecret:
		object, err := e.remoteSecret(ctx, c, action)
		return "", []*unstructured.Unstructured{object}, err
	}
	return "", nil, fmt.Errorf("there is nothing to write for %T", action)
}

// set names the ConfigMap that records a set of objects of the mesh's revision.
func (e *Executor) set(name string) string {
	return wellknown.Revisioned(name, e.Mesh.Revision)
}

func (e *Executor) gateway(ctx context.Context, c *cluster.Cluster, action plan.ApplyGateway) (string, []*unstructured.Unstructured, error) {
	if action.OnlyForHostname {
		if hostnames, err := e.hostnames(ctx, c); err != nil || len(hostnames) == 0 {
			return "", nil, err
		}
	}
	objects, err := e.chartsOf(c.Name).EastWest(istio.Gateway{
		Namespace: e.Mesh.Namespace, Revision: action.Revision, Network: action.Network, SourceRanges: action.SourceRanges,
		Annotations: action.Annotations, Address: action.Address, WebhookPorts: action.WebhookPorts, Port443: action.Port443,
	})
	return istio.EastWestSet, objects, err // one for all revisions
}

func (e *Executor) exposure(ctx context.Context, c *cluster.Cluster, action plan.ApplyExposure) (string, []*unstructured.Unstructured, error) {
	if action.OnlyForHostname {
		if hostnames, err := e.hostnames(ctx, c); err != nil || len(hostnames) == 0 {
			return "", nil, err
		}
	}
	return e.set(wellknown.FieldManager + "-exposed-istiod"), istio.ExposeIstiod(e.Mesh.Namespace, e.Mesh.Revision, action.WebhookPort), nil
}

// customHosts makes istiod's Deployment anew as this tool has applied it, with the gateway's hostnames in it. It stays in
// the set in which it is.
func (e *Executor) customHosts(ctx context.Context, c *cluster.Cluster, action plan.ApplyCustomHosts) (string, []*unstructured.Unstructured, error) {
	hostnames, err := e.hostnames(ctx, c)
	if err != nil || len(hostnames) == 0 {
		return "", nil, err
	}
	deployment, err := c.Kube().AppsV1().Deployments(e.Mesh.Namespace).Get(ctx, action.Deployment, metav1.GetOptions{})
	if err != nil {
		return "", nil, fmt.Errorf("cluster %s: Deployment %s in %s: %w", c.Name, action.Deployment, e.Mesh.Namespace, err)
	}
	object, err := istio.WithCustomHosts(deployment, hostnames)
	return "", []*unstructured.Unstructured{object}, err
}

// hostnames are the names by which the primary's istiod is reached from outside; none where that is an IP, or in a dry run
// where the gateway is not there yet.
func (e *Executor) hostnames(ctx context.Context, c *cluster.Cluster) ([]string, error) {
	service, err := e.gatewayService(ctx, c)
	if err != nil && e.dry() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return istio.Hostnames(service), nil
}

// address is where the primary's istiod is reached from outside.
func (e *Executor) address(ctx context.Context, c *cluster.Cluster) (string, error) {
	service, err := e.gatewayService(ctx, c)
	if err != nil {
		return "", err
	}
	address, _ := istio.AddressOf(service)
	if !istio.Attachable(address) {
		return "", fmt.Errorf("cluster %s: Service %s in %s has only the IPv6 address %s, which Istio's charts for remotes do not take",
			c.Name, service.Name, service.Namespace, address)
	}
	return address, nil
}

// gatewayService is the east-west gateway's; it must have an address by now.
func (e *Executor) gatewayService(ctx context.Context, c *cluster.Cluster) (*corev1.Service, error) {
	service, err := c.Kube().CoreV1().Services(e.Mesh.Namespace).Get(ctx, wellknown.EastWestGateway, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("cluster %s: the east-west gateway's Service: %w", c.Name, err)
	}
	if address, _ := istio.AddressOf(service); address == "" {
		return nil, fmt.Errorf("cluster %s: Service %s in %s has no external address yet", c.Name, service.Name, service.Namespace)
	}
	return service, nil
}

func (e *Executor) remote(ctx context.Context, action plan.ApplyRemote) (string, []*unstructured.Unstructured, error) {
	charts := e.chartsOf(action.Cluster)
	charts.Hub, charts.Tag = action.Hub, action.Version
	remote := istio.RemoteCluster{
		Namespace: e.Mesh.Namespace, Revision: e.Mesh.Revision, MeshID: action.MeshID, Cluster: action.Cluster,
		Network: action.Network, DefaultTag: action.DefaultTag, WebhookPort: action.WebhookPort,
	}
	address, err := e.address(ctx, e.Clusters[action.Primary])
	if err != nil && action.Part == plan.ProfilePart {
		return "", nil, err
	}
	remote.Address = address // the other parts need none
	objects, err := e.render(charts, remote)
	if err != nil {
		return "", nil, err
	}
	parts := istio.SplitRemote(objects)
	switch action.Part {
	case plan.CRDPart:
		return e.set(wellknown.FieldManager + "-crds"), parts.CRDs, nil
	case plan.ReaderPart:
		token, err := istio.Unstructured(istio.TokenSecret(e.Mesh.Namespace))
		return e.set(wellknown.FieldManager + "-reader"), append(parts.Reader, token), err
	}
	return e.set(istio.RemoteSet), parts.Profile, nil
}

// render renders a remote once for both of its parts: that takes longer than to write them.
func (e *Executor) render(charts istio.Charts, remote istio.RemoteCluster) ([]*unstructured.Unstructured, error) {
	e.mu.Lock()
	once, found := e.rendered[remote]
	if !found {
		once = sync.OnceValues(func() ([]*unstructured.Unstructured, error) { return charts.Remote(remote) })
		if e.rendered == nil {
			e.rendered = map[istio.RemoteCluster]rendering{}
		}
		e.rendered[remote] = once
	}
	e.mu.Unlock()
	return once()
}
