package observe

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func readGateways(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	services, err := r.services()
	if err != nil {
		return nil, err
	}
	services = slices.DeleteFunc(slices.Clone(services), func(s corev1.Service) bool { return !istio.IsGateway(&s) })
	if len(services) == 0 {
		return nil, nil
	}
	gateways := make([]snapshot.Gateway, len(services))
	var readers errgroup.Group
	for i, s := range services {
		readers.Go(func() (err error) {
			gateways[i], err = r.gateway(ctx, &s)
			return err
		})
	}
	if err := readers.Wait(); err != nil {
		return nil, err
	}
	return func(c *snapshot.Cluster) { c.Gateways = gateways }, nil
}

// gateway reads what belongs to a gateway's Service.
func (r *reader) gateway(ctx context.Context, s *corev1.Service) (snapshot.Gateway, error) {
	var endpoints []discoveryv1.EndpointSlice
	stopped := false
	var readers errgroup.Group
	readers.Go(func() (err error) {
		endpoints, err = r.endpointSlices(ctx, s.Name)
		return err
	})
	readers.Go(func() error {
		// Istio's charts name both alike; where somebody else's do not, nothing is known of it.
		deployment, err := r.Kube().AppsV1().Deployments(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
		stopped = err == nil && deployment.Spec.Replicas != nil && *deployment.Spec.Replicas == 0
		return absent(err)
	})
	if err := readers.Wait(); err != nil {
		return snapshot.Gateway{}, err
	}
	gateway := gatewayOf(s, endpoints)
	gateway.Stopped = stopped
	return gateway, nil
}

// readNetworkGateways reads which gateways lead to a network from namespaces other than Istio's. Their pods are not looked at.
func readNetworkGateways(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	services, err := r.Kube().CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: wellknown.NetworkLabel})
	if err != nil {
		return nil, err
	}
	var gateways []snapshot.Gateway
	for _, s := range services.Items {
		if s.Namespace != r.options.Namespace {
			gateway := gatewayOf(&s, nil)
			gateway.Namespace = s.Namespace
			gateways = append(gateways, gateway)
		}
	}
	return func(c *snapshot.Cluster) { c.NetworkGateways = gateways }, nil
}

func gatewayOf(s *corev1.Service, endpoints []discoveryv1.EndpointSlice) snapshot.Gateway {
	g := snapshot.Gateway{
		Selector: s.Spec.Selector,
		Name:     s.Name, Type: string(s.Spec.Type), Revision: s.Labels[wellknown.RevisionLabel],
		Network: s.Labels[wellknown.NetworkLabel], SourceRanges: s.Spec.LoadBalancerSourceRanges,
	}
	g.Address, g.Override = istio.AddressOf(s)
	g.CrossNetworkPort, g.PublishesItself = istio.CrossNetworkPort(s), istio.IsKubernetesGateway(s)
	g.Hostnames, g.WebhookPorts = istio.Hostnames(s), istio.WebhookPorts(s)
	if names := s.Annotations[wellknown.UserAnnotations]; names != "" {
		g.Annotations = map[string]string{}
		for name := range strings.SplitSeq(names, ",") {
			if value, there := s.Annotations[name]; there { // somebody may have taken it off since
				g.Annotations[name] = value
			}
		}
	}
	for _, p := range s.Spec.Ports {
		g.Ports = append(g.Ports, p.Port)
	}
	for _, slice := range endpoints {
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				g.ReadyEndpoints += len(e.Addresses)
			}
		}
	}
	return g
}

// readExposed finds the VirtualServices by which istiod is published, if the Gateway is there which they stand on. A
// cluster without Istio's CRDs has none.
func readExposed(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	resource := func(name string) dynamic.ResourceInterface {
		return r.Dynamic().Resource(schema.GroupVersionResource{
			Group: "networking.istio.io", Version: "v1", Resource: name,
		}).Namespace(r.options.Namespace)
	}
	if _, err := resource("gateways").Get(ctx, wellknown.ExposeGateway, metav1.GetOptions{}); err != nil {
		return nil, absent(err)
	}
	list, err := resource("virtualservices").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, absent(err)
	}
	var revisions []string
	for _, vs := range list.Items {
		if vs.GetName() == wellknown.ExposeVirtualService {
			revisions = append(revisions, "default")
		} else if revision, found := strings.CutPrefix(vs.GetName(), wellknown.ExposeVirtualService+"-"); found {
			revisions = append(revisions, revision)
		}
	}
	slices.Sort(revisions)
	return func(c *snapshot.Cluster) { c.Exposed = revisions }, nil
}

// readPassthrough reads by which Gateways services are published to other networks, whatever namespace they are in.
func readPassthrough(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Dynamic().Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}).
		List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, absent(err)
	}
	var found []snapshot.Passthrough
	for _, g := range list.Items {
		if selector, is := istio.Passthrough(&g); is {
			found = append(found, snapshot.Passthrough{Name: g.GetName(), Selector: selector})
		}
	}
	return func(c *snapshot.Cluster) { c.Passthrough = found }, nil
}
