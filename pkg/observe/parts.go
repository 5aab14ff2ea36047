package observe

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func readVersion(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	raw, err := r.Kube().Discovery().RESTClient().Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(raw)
	return func(c *snapshot.Cluster) { c.KubernetesVersion = version }, err
}

// versionOf reads the answer to /version.
func versionOf(raw []byte) (string, error) {
	var body struct {
		GitVersion string `json:"gitVersion"`
	}
	err := decode(raw, &body)
	return body.GitVersion, err
}

func readCA(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	cm, err := r.Kube().CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
	if err != nil {
		return nil, absent(err)
	}
	ca := []byte(cm.Data["ca.crt"])
	untrusted := ""
	if r.options.Attached || r.options.Obstacles {
		untrusted = untrustedBy(ctx, r.RESTConfig(), ca)
	}
	return func(c *snapshot.Cluster) { c.CA, c.Untrusted = snapshot.Fingerprint(ca), untrusted }, nil
}

func readNamespace(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	ns, err := r.Kube().CoreV1().Namespaces().Get(ctx, r.options.Namespace, metav1.GetOptions{})
	if err != nil {
		return nil, absent(err)
	}
	return func(c *snapshot.Cluster) { c.Namespace = namespaceOf(ns) }, nil
}

func namespaceOf(ns *corev1.Namespace) *snapshot.Namespace {
	return &snapshot.Namespace{
		Network:              ns.Labels[wellknown.NetworkLabel],
		ControlPlaneClusters: ns.Annotations[wellknown.ControlPlaneClustersAnnotation],
		Labels:               ns.Labels,
		Terminating:          ns.DeletionTimestamp != nil,
	}
}

func readInjectors(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	list, err := r.Kube().AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx,
		metav1.ListOptions{LabelSelector: wellknown.InjectorSelector})
	if err != nil {
		return nil, err
	}
	var injectors []snapshot.Injector
	for _, w := range list.Items {
		injectors = append(injectors, injectorOf(&w))
	}
	return func(c *snapshot.Cluster) { c.Injectors = injectors }, nil
}

func injectorOf(w *admissionregistrationv1.MutatingWebhookConfiguration) snapshot.Injector {
	injector := snapshot.Injector{Name: w.Name, Revision: w.Labels[wellknown.RevisionLabel], Tag: w.Labels[wellknown.TagLabel]}
	for _, hook := range w.Webhooks {
		injector.CABundles = append(injector.CABundles, snapshot.Fingerprint(hook.ClientConfig.CABundle))
		host, path := calledAt(hook.ClientConfig)
		injector.Hosts, injector.Paths = append(injector.Hosts, host), append(injector.Paths, path)
	}
	for _, list := range []*[]string{&injector.CABundles, &injector.Paths, &injector.Hosts} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return injector
}

// calledAt is where a webhook is called: HOST:PORT of a URL, empty for a Service, and the path.
func calledAt(hook admissionregistrationv1.WebhookClientConfig) (host, path string) {
	if hook.URL == nil {
		if hook.Service == nil || hook.Service.Path == nil {
			return "", ""
		}
		return "", *hook.Service.Path
	}
	called, err := url.Parse(*hook.URL)
	if err != nil {
		return *hook.URL, "" // the API server lets none in
	}
	return net.JoinHostPort(called.Hostname(), cmp.Or(called.Port(), "443")), called.Path
}

func (r *reader) endpointSlices(ctx context.Context, service string) ([]discoveryv1.EndpointSlice, error) {
	list, err := r.Kube().DiscoveryV1().EndpointSlices(r.options.Namespace).List(ctx,
		metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

func readIstiodServices(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	all, err := r.services()
	if err != nil {
		return nil, err
	}
	var services []snapshot.IstiodService
	for _, s := range all {
		if s.Name != "istiod" && !strings.HasPrefix(s.Name, "istiod-") || s.Labels[wellknown.TagLabel] != "" {
			continue
		}
		slices, err := r.endpointSlices(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		services = append(services, istiodServiceOf(&s, slices))
	}
	return func(c *snapshot.Cluster) { c.IstiodServices = services }, nil
}

func istiodServiceOf(s *corev1.Service, endpoints []discoveryv1.EndpointSlice) snapshot.IstiodService {
	seen := snapshot.IstiodService{Name: s.Name, ExternalName: s.Spec.ExternalName, Selector: len(s.Spec.Selector) > 0}
	for _, slice := range endpoints {
		for _, e := range slice.Endpoints {
			seen.Addresses = append(seen.Addresses, e.Addresses...)
		}
		if by := slice.Labels[discoveryv1.LabelManagedBy]; by == "" || by == "Helm" { // which Istio's charts name, whoever applies them
			seen.Written = append(seen.Written, slice.Name)
		}
	}
	return seen
}

func readRemoteSecrets(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	if secrets, known := r.options.RemoteSecrets[r.Name]; known {
		return func(c *snapshot.Cluster) { c.RemoteSecrets = secrets }, nil
	}
	held, err := istio.RemoteSecrets(ctx, r.Kube(), r.options.Namespace)
	if err != nil {
		return nil, err
	}
	secrets := remoteSecretsOf(held)
	if slices.Contains(r.options.Identify, r.Name) {
		secrets, _ = Follow(ctx, r.Cluster, held)
	}
	return func(c *snapshot.Cluster) { c.RemoteSecrets = secrets }, nil
}

func remoteSecretsOf(held []istio.RemoteCredentials) []snapshot.RemoteSecret {
	var secrets []snapshot.RemoteSecret
	for _, one := range held {
		secrets = append(secrets, RemoteSecretOf(one))
	}
	return secrets
}

// RemoteSecretOf is what a snapshot has of credentials: nothing by which anybody could use them.
func RemoteSecretOf(held istio.RemoteCredentials) snapshot.RemoteSecret {
	seen := snapshot.RemoteSecret{
		Secret: held.Secret, SecretUID: held.UID, Cluster: held.Cluster, Server: held.Server, TLSServerName: held.TLSServerName,
		CA: snapshot.Fingerprint(held.CA), Token: snapshot.Fingerprint(held.Token),
		Created: held.Created, Ends: istio.TokenEnds(held.Token),
	}
	if held.Err != nil {
		seen.Error = held.Err.Error()
	}
	return seen
}

// readInventory reads whether attach-remote has recorded what it applied; whatever the revision, this record is there.
func readInventory(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	cm, err := r.Kube().CoreV1().ConfigMaps(r.options.Namespace).Get(ctx, istio.RemoteInventory, metav1.GetOptions{})
	if err != nil {
		return nil, absent(err)
	}
	return func(c *snapshot.Cluster) { c.Inventory = cm.Name }, nil
}

func readRootCert(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	cm, err := r.Kube().CoreV1().ConfigMaps(r.options.Namespace).Get(ctx, wellknown.RootCertConfigMap, metav1.GetOptions{})
	if err != nil {
		return nil, absent(err)
	}
	return func(c *snapshot.Cluster) { c.RootCert = rootOf(cm) }, nil
}

// rootOf is the fingerprint of an istio-ca-root-cert.
func rootOf(cm *corev1.ConfigMap) string {
	return snapshot.Fingerprint([]byte(cm.Data["root-cert.pem"]))
}

func readNodes(_ context.Context, r *reader) (func(*snapshot.Cluster), error) {
	nodes, err := r.nodes()
	if err != nil {
		return nil, err
	}
	return func(c *snapshot.Cluster) { c.Nodes = len(nodes); c.ReadyNodes, c.PodRanges = nodesOf(nodes) }, nil
}

func nodesOf(nodes []corev1.Node) (ready int, ranges []string) {
	for _, n := range nodes {
		ranges = append(ranges, n.Spec.PodCIDRs...)
		for _, condition := range n.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue && !n.Spec.Unschedulable {
				ready++
			}
		}
	}
	return ready, ranges
}
