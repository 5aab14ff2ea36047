package execute

import (
	"context"
	"fmt"
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
	return objectSet{e.set(istio.PrimarySet), objects}, err
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
	return objectSet{istio.EastWestSet, objects}, err // one for all revisions
}

func (e *Executor) exposure(ctx context.Context, c *cluster.Cluster, action plan.ApplyExposure) (objectSet, error) {
	if action.OnlyForHostname {
		if hostnames, err := e.hostnames(ctx, c); err != nil || len(hostnames) == 0 {
			return objectSet{}, err
		}
	}
	return objectSet{e.set(wellknown.FieldManager + "-exposed-istiod"), istio.ExposeIstiod(e.Mesh.Namespace, e.Mesh.Revision, action.WebhookPort)}, nil
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

// address is where the primary's istiod is reached from outside.
func (e *Executor) address(ctx context.Context, c *cluster.Cluster) (string, error) {
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

func (e *Executor) remote(ctx context.Context, _ *cluster.Cluster, action plan.ApplyRemote) (objectSet, error) {
	charts := e.chartsOf(action.Cluster)
	charts.Hub, charts.Tag = action.Hub, action.Version
	remote := istio.RemoteCluster{
		Namespace: e.Mesh.Namespace, Revision: e.Mesh.Revision, MeshID: action.MeshID, Cluster: action.Cluster,
		Network: action.Network, DefaultTag: action.DefaultTag, WebhookPort: action.WebhookPort,
	}
	address, err := e.address(ctx, e.Clusters[action.Primary])
	if err != nil && action.Part == plan.ProfilePart {
		return objectSet{}, err
	}
	remote.Address = address // the other parts need none
	objects, err := e.render(charts, remote)
	if err != nil {
		return objectSet{}, err
	}
	parts := istio.SplitRemote(objects)
	switch action.Part {
	case plan.CRDPart:
		return objectSet{e.partSet(action.Part), parts.CRDs}, nil
	case plan.ReaderPart:
		token, err := istio.Unstructured(istio.TokenSecret(e.Mesh.Namespace))
		return objectSet{e.partSet(action.Part), append(parts.Reader, token)}, err
	}
	return objectSet{e.partSet(action.Part), parts.Profile}, nil
}

// readerToken is the token of the reader account that a primary's own charts have made.
func (e *Executor) readerToken(_ context.Context, _ *cluster.Cluster, _ plan.ApplyReaderToken) (objectSet, error) {
	token, err := istio.Unstructured(istio.TokenSecret(e.Mesh.Namespace))
	return objectSet{e.partSet(plan.ReaderPart), []*unstructured.Unstructured{token}}, err
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
