package execute

import (
	"context"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

func (e *Executor) namespace(_ context.Context, _ *cluster.Cluster, action plan.ApplyNamespace) (objectSet, error) {
	object, err := istio.Unstructured(istio.Namespace(e.Mesh.Namespace, action.Network, action.ControlPlaneClusters))
	return objectSet{objects: []*unstructured.Unstructured{object}}, err
}

func (e *Executor) controlPlane(_ context.Context, c *cluster.Cluster, action plan.ApplyControlPlane) (objectSet, error) {
	objects, err := e.chartsOf(c.Name).Primary(istio.Primary{
		Namespace: e.Mesh.Namespace, Revision: e.Mesh.Revision, MeshID: action.MeshID, Cluster: action.Cluster,
		Network: action.Network, Profile: action.Profile, DefaultTag: action.DefaultTag, CustomHosts: action.CustomHosts,
	})
	return objectSet{name: e.set(istio.PrimarySet), objects: objects}, err
}

func (e *Executor) gateway(ctx context.Context, c *cluster.Cluster, action plan.ApplyGateway) (objectSet, error) {
	if action.OnlyForHostname {
		if hostnames, err := e.hostnames(ctx, c); err != nil || len(hostnames) == 0 {
			return objectSet{}, err
		}
	}
	objects, err := e.chartsOf(c.Name).EastWest(istio.Gateway{
		Namespace: e.Mesh.Namespace, Revision: action.Revision, Network: action.Network, SourceRanges: action.SourceRanges,
		Annotations: action.Annotations, Address: action.Address, WebhookPorts: action.WebhookPorts, Port443: action.Port443,
	})
	return objectSet{name: istio.EastWestSet, objects: objects}, err // one for all revisions
}

func (e *Executor) exposure(ctx context.Context, c *cluster.Cluster, action plan.ApplyExposure) (objectSet, error) {
	if action.OnlyForHostname {
		if hostnames, err := e.hostnames(ctx, c); err != nil || len(hostnames) == 0 {
			return objectSet{}, err
		}
	}
	return objectSet{
		name: e.set(wellknown.FieldManager + "-exposed-istiod"), objects: istio.ExposeIstiod(e.Mesh.Namespace, e.Mesh.Revision, action.WebhookPort),
	}, nil
}

// customHosts returns istiod's Deployment as this tool applied it, plus the gateway's hostnames. It stays in its set.
func (e *Executor) customHosts(ctx context.Context, c *cluster.Cluster, action plan.ApplyCustomHosts) (objectSet, error) {
	hostnames, err := e.hostnames(ctx, c)
	if err != nil || len(hostnames) == 0 {
		return objectSet{}, err
	}
	deployment, err := c.Kube().AppsV1().Deployments(e.Mesh.Namespace).Get(ctx, action.Deployment, metav1.GetOptions{})
	if err != nil {
		return objectSet{}, fmt.Errorf("cluster %s: Deployment %s in %s: %w", c.Name, action.Deployment, e.Mesh.Namespace, err)
	}
	object, err := istio.WithCustomHosts(deployment, hostnames)
	return objectSet{objects: []*unstructured.Unstructured{object}}, err
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

// address is where the primary's istiod is reached from outside. It is read once for all remotes.
func (e *Executor) address(ctx context.Context, c *cluster.Cluster) (string, error) {
	e.mu.Lock()
	once, found := e.addresses[c.Name]
	if !found {
		once = sync.OnceValues(func() (string, error) { return e.readAddress(ctx, c) })
		if e.addresses == nil {
			e.addresses = map[string]func() (string, error){}
		}
		e.addresses[c.Name] = once
	}
	e.mu.Unlock()
	address, err := once()
	if err != nil { // a later step may do better
		e.mu.Lock()
		delete(e.addresses, c.Name)
		e.mu.Unlock()
	}
	return address, err
}

func (e *Executor) readAddress(ctx context.Context, c *cluster.Cluster) (string, error) {
	service, err := e.gatewayService(ctx, c)
	if err != nil {
		return "", err
	}
	address, _ := istio.AddressOf(service)
	if !facts.IsAttachable(address) {
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

// Prepare begins what steps of a run need and can be had before they begin: the address by which remotes reach istiod, where no
// step changes it, and the remotes' objects, which take long to render.
func (e *Executor) Prepare(ctx context.Context, steps []plan.Step) {
	if slices.ContainsFunc(steps, func(s plan.Step) bool { _, is := s.Action.(plan.AwaitAddress); return is }) {
		return
	}
	for _, step := range steps {
		if action, is := step.Action.(plan.ApplyRemote); is && action.Part == plan.ProfilePart {
			go func() { _, _ = e.remoteObjects(ctx, action) }() // which the step asks for again
		}
	}
}

// remoteObjects are all that a remote gets. Of them only the profile needs the address.
func (e *Executor) remoteObjects(ctx context.Context, action plan.ApplyRemote) ([]*unstructured.Unstructured, error) {
	charts := e.chartsOf(action.Cluster)
	charts.Hub, charts.Tag = action.Hub, action.Version
	address, err := e.address(ctx, e.Clusters[action.Primary])
	if err != nil && action.Part == plan.ProfilePart {
		return nil, err
	}
	return e.render(charts, istio.RemoteCluster{
		Namespace: e.Mesh.Namespace, Revision: e.Mesh.Revision, MeshID: action.MeshID, Cluster: action.Cluster,
		Network: action.Network, DefaultTag: action.DefaultTag, WebhookPort: action.WebhookPort, Address: address,
	})
}

func (e *Executor) remote(ctx context.Context, _ *cluster.Cluster, action plan.ApplyRemote) (objectSet, error) {
	objects, err := e.remoteObjects(ctx, action)
	if err != nil {
		return objectSet{}, err
	}
	parts := istio.SplitRemote(objects)
	switch action.Part {
	case plan.CRDPart:
		return objectSet{name: e.partSet(action.Part), objects: parts.CRDs}, nil
	case plan.ReaderPart:
		token, err := istio.Unstructured(istio.TokenSecret(e.Mesh.Namespace))
		return objectSet{name: e.partSet(action.Part), objects: append(parts.Reader, token)}, err
	}
	return objectSet{name: e.partSet(action.Part), objects: parts.Profile}, nil
}

// readerToken is the token of the reader account that a primary's own charts have made.
func (e *Executor) readerToken(_ context.Context, _ *cluster.Cluster, _ plan.ApplyReaderToken) (objectSet, error) {
	token, err := istio.Unstructured(istio.TokenSecret(e.Mesh.Namespace))
	return objectSet{name: e.partSet(plan.ReaderPart), objects: []*unstructured.Unstructured{token}}, err
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
