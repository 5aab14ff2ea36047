package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func decode(raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("the answer is not what was expected: %w", err)
	}
	return nil
}

func readControlPlanes(ctx context.Context, r *reader) (func(*snapshot.Cluster), error) {
	asked := r.options.Deep || r.options.Attached
	var listing sync.WaitGroup
	defer listing.Wait()
	// Where there is no istiod, as a rule, its pods need not be readable: in remotes, and in clusters that are to become a mesh.
	if asked && r.primary() && !r.options.Obstacles {
		listing.Go(func() { _, _ = r.istiodPods() })
	}
	deployments, err := r.Kube().AppsV1().Deployments(r.options.Namespace).List(ctx,
		metav1.ListOptions{LabelSelector: wellknown.IstiodSelector})
	if err != nil {
		return nil, err
	}
	if len(deployments.Items) == 0 {
		return nil, nil
	}
	planes := make([]snapshot.ControlPlane, len(deployments.Items))
	var readers errgroup.Group
	for i := range deployments.Items {
		plane := &planes[i]
		*plane = controlPlaneOf(&deployments.Items[i])
		revision := plane.Revision
		readers.Go(func() error { return r.addConfig(ctx, plane) })
		if asked {
			readers.Go(func() (err error) {
				plane.Replicas, err = r.replicas(ctx, revision)
				return err
			})
		}
	}
	if err := readers.Wait(); err != nil {
		return nil, err
	}
	return func(c *snapshot.Cluster) { c.ControlPlanes = planes }, nil
}

// discoveryContainer is istiod itself in its pod.
const discoveryContainer = "discovery"

// controlPlaneOf reads what the Deployment itself tells.
func controlPlaneOf(d *appsv1.Deployment) snapshot.ControlPlane {
	plane := snapshot.ControlPlane{
		Name: d.Name, Revision: d.Labels[wellknown.RevisionLabel], InstalledBy: istio.InstalledBy(d), Rendered: istio.Rendered(d),
		CustomHosts: istio.CustomHosts(d),
		Ready:       int(d.Status.ReadyReplicas), Desired: 1,
	}
	if d.Spec.Replicas != nil {
		plane.Desired = int(*d.Spec.Replicas)
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name != discoveryContainer {
			continue
		}
		plane.Hub, plane.Version = splitImage(c.Image)
		for _, variable := range c.Env {
			switch variable.Name {
			case wellknown.ClusterIDVariable:
				plane.ClusterID = variable.Value
			case wellknown.ExternalIstiodVariable:
				plane.ExternalIstiod, _ = strconv.ParseBool(variable.Value) // as istiod reads it
			}
		}
	}
	return plane
}

// splitImage takes hub and tag from HUB/pilot:TAG[@DIGEST].
func splitImage(image string) (hub, tag string) {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image, tag = image[:i], image[i+1:]
	}
	if i := strings.LastIndex(image, "/"); i >= 0 {
		hub = image[:i]
	}
	return hub, tag
}

// addConfig reads what only the control plane's ConfigMaps tell: the identities that it injects into pods, and the
// trust domain.
func (r *reader) addConfig(ctx context.Context, plane *snapshot.ControlPlane) error {
	revision := plane.Revision
	if revision == "default" {
		revision = ""
	}
	var injector, mesh *corev1.ConfigMap
	var readers errgroup.Group
	for name, into := range map[string]**corev1.ConfigMap{wellknown.InjectorConfigMap: &injector, wellknown.MeshConfigMap: &mesh} {
		readers.Go(func() error {
			cm, err := r.Kube().CoreV1().ConfigMaps(r.options.Namespace).Get(ctx, wellknown.Revisioned(name, revision), metav1.GetOptions{})
			if err != nil {
				return absent(err)
			}
			*into = cm
			return nil
		})
	}
	if err := readers.Wait(); err != nil {
		return err
	}
	if injector != nil {
		if err := addInjectorValues(injector, plane); err != nil {
			return err
		}
	}
	if mesh == nil {
		return nil
	}
	return addMeshConfig(mesh, plane)
}

func addMeshConfig(mesh *corev1.ConfigMap, plane *snapshot.ControlPlane) error {
	var config struct {
		TrustDomain   string `json:"trustDomain"`
		RootNamespace string `json:"rootNamespace"`

		DiscoverySelectors snapshot.DiscoverySelectors `json:"discoverySelectors"`

		DefaultConfig struct {
			MeshID string `json:"meshId"`
		} `json:"defaultConfig"`
	}
	if err := yaml.Unmarshal([]byte(mesh.Data["mesh"]), &config); err != nil {
		return fmt.Errorf("ConfigMap %s/%s: %w", mesh.Namespace, mesh.Name, err)
	}
	plane.ConfigMap, plane.MeshNetworks = mesh.Name, mesh.Data["meshNetworks"]
	plane.GatewayNetworks = gatewayNetworks(plane.MeshNetworks)
	plane.TrustDomain, plane.RootNamespace, plane.DiscoverySelectors = config.TrustDomain, config.RootNamespace, config.DiscoverySelectors
	if config.DefaultConfig.MeshID != "" {
		plane.MeshID = config.DefaultConfig.MeshID
	}
	return nil
}

// gatewayNetworks are the networks that meshNetworks gives a gateway. What can't be read, Istio's analyzers tell.
func gatewayNetworks(text string) []string {
	var networks struct {
		Networks map[string]struct {
			Gateways []any `json:"gateways"`
		} `json:"networks"`
	}
	if yaml.Unmarshal([]byte(text), &networks) != nil {
		return nil
	}
	var names []string
	for name, network := range networks.Networks {
		if len(network.Gateways) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func addInjectorValues(injector *corev1.ConfigMap, plane *snapshot.ControlPlane) error {
	var chartValues struct {
		Global struct {
			MeshID       string `json:"meshID"`
			Network      string `json:"network"`
			MultiCluster struct {
				ClusterName string `json:"clusterName"`
			} `json:"multiCluster"`
		} `json:"global"`
	}
	if err := json.Unmarshal([]byte(injector.Data["values"]), &chartValues); err != nil {
		return fmt.Errorf("ConfigMap %s/%s: %w", injector.Namespace, injector.Name, err)
	}
	plane.MeshID, plane.Network = chartValues.Global.MeshID, chartValues.Global.Network
	plane.ClusterName = chartValues.Global.MultiCluster.ClusterName
	return nil
}

// replicas asks every running istiod at once; one that does not answer is noted and does not hide the others.
func (r *reader) replicas(ctx context.Context, revision string) ([]snapshot.Replica, error) {
	pods, err := r.istiodPods()
	if err != nil {
		return nil, err
	}
	pods = slices.DeleteFunc(slices.Clone(pods), func(p corev1.Pod) bool { return p.Labels[wellknown.RevisionLabel] != revision })
	replicas := make([]snapshot.Replica, len(pods))
	var asked sync.WaitGroup
	for i := range pods {
		asked.Go(func() { replicas[i] = r.replica(ctx, &pods[i]) })
	}
	asked.Wait()
	return replicas, nil
}

func (r *reader) replica(ctx context.Context, pod *corev1.Pod) snapshot.Replica {
	ctx, cancel := Bounded(ctx, AnswerTimeout)
	defer cancel()
	replica := snapshot.Replica{Pod: pod.Name}
	for _, c := range pod.Spec.Containers {
		if c.Name == discoveryContainer {
			_, replica.Version = splitImage(c.Image)
		}
	}
	var (
		clusters istio.RemoteClusters
		proxies  []istio.ProxyStatus
		unsaid   error
		asked    sync.WaitGroup
	)
	if r.options.Deep {
		asked.Go(func() { proxies, unsaid = istio.Syncz(ctx, r, pod) })
	}
	clusters, err := istio.Clusterz(ctx, r, pod)
	asked.Wait()
	if err != nil {
		replica.Error = err.Error()
		return replica
	}
	if unsaid != nil {
		replica.Error = unsaid.Error()
	}
	addView(&replica, clusters, proxies)
	return replica
}

// addView notes what a replica says of clusters and proxies.
func addView(r *snapshot.Replica, clusters istio.RemoteClusters, proxies []istio.ProxyStatus) {
	for _, c := range clusters {
		r.Clusters = append(r.Clusters, snapshot.SyncedRemote{ID: string(c.ID), Secret: c.SecretName, Status: c.SyncStatus})
	}
	for _, p := range proxies {
		r.Proxies = append(r.Proxies, snapshot.Proxy{ID: p.ProxyID, Cluster: p.ClusterID, Version: p.IstioVersion, Rejected: p.Rejected()})
	}
}
