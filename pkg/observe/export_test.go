package observe

import (
	"context"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Objects are those of one cluster that a Snapshot is made of. Tests that go on to a judgement can't be in this package,
// which the checks import.
type Objects struct {
	Version          []byte
	Namespace        *corev1.Namespace
	Istiod           *appsv1.Deployment
	Injector, Mesh   *corev1.ConfigMap
	Clusterz, Syncz  []byte
	Webhooks         []admissionregistrationv1.MutatingWebhookConfiguration
	Gateway, Service *corev1.Service
	Slices           []discoveryv1.EndpointSlice
	Secrets          []corev1.Secret
	Root             *corev1.ConfigMap
	Values           []corev1.ConfigMap
	Nodes            []corev1.Node
}

// See notes the objects in a cluster, and what can't be read as Read does.
func (o *Objects) See(c *snapshot.Cluster) {
	r, ctx := &reader{seen: c}, context.Background()
	var err error
	c.KubernetesVersion, err = versionOf(o.Version)
	r.note(ctx, snapshot.KubernetesVersion, err)
	c.Namespace = namespaceOf(o.Namespace)
	if o.Istiod != nil {
		plane := controlPlaneOf(o.Istiod)
		r.note(ctx, snapshot.ControlPlanes, addInjectorValues(o.Injector, &plane))
		r.note(ctx, snapshot.ControlPlanes, addMeshConfig(o.Mesh, &plane))
		plane.Replicas = []snapshot.Replica{o.replica()}
		c.ControlPlanes = []snapshot.ControlPlane{plane}
	}
	for i := range o.Webhooks {
		c.Injectors = append(c.Injectors, injectorOf(&o.Webhooks[i]))
	}
	if o.Gateway != nil {
		c.Gateways = []snapshot.Gateway{gatewayOf(o.Gateway, o.Slices)}
	}
	c.IstiodServices = []snapshot.IstiodService{istiodServiceOf(o.Service, o.Slices)}
	c.RemoteSecrets = remoteSecretsOf(istio.RemoteCredentialsOf(o.Secrets))
	c.RootCert = rootOf(o.Root)
	c.RootCerts = map[string]string{o.Root.Namespace: c.RootCert}
	c.Installed, err = installedOf(o.Values)
	r.note(ctx, snapshot.InstalledValues, err)
	c.Nodes = len(o.Nodes)
	c.ReadyNodes, c.PodRanges = nodesOf(o.Nodes)
}

func (o *Objects) replica() snapshot.Replica {
	replica := snapshot.Replica{Pod: "istiod-0"}
	clusters, err := istio.ParseClusterz(o.Clusterz)
	if err != nil {
		replica.Error = err.Error()
		return replica
	}
	proxies, err := istio.ParseSyncz(o.Syncz)
	if err != nil {
		replica.Error = err.Error()
	}
	addView(&replica, clusters, proxies)
	return replica
}
