package observe

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Analysis says what to analyze.
type Analysis struct {
	// Clusters are those of the mesh, the primary first.
	Clusters []string
	// Namespace is Istio's, Revision the mesh's as in the label istio.io/rev.
	Namespace, Revision string
}

// Analyze returns the snapshot with the messages of Istio's multicluster analyzers over what was read of all clusters, at the
// clusters that they are about. It calls no API server.
func Analyze(ctx context.Context, s *snapshot.Snapshot, a Analysis) *snapshot.Snapshot {
	var found findings
	var services []istio.ClusterServices
	for _, name := range a.Clusters {
		if seen := s.Clusters[name]; seen != nil {
			services = append(services, istio.ClusterServices{Cluster: name, Services: a.ofMesh(seen.ServiceObjects)})
		}
	}
	for name, messages := range istio.AnalyzeServices(ctx, services) {
		found.addMessages(name, messages)
	}
	if len(a.Clusters) > 0 && s.Clusters[a.Clusters[0]] != nil {
		found.addMessages(a.Clusters[0], a.ofNetworks(ctx, s.Clusters[a.Clusters[0]]))
	}
	return found.with(s)
}

// ofNetworks are the messages on the primary's list of networks.
func (a Analysis) ofNetworks(ctx context.Context, primary *snapshot.Cluster) []istio.Finding {
	plane, there := primary.ControlPlane(a.Revision)
	if _, unread := primary.CouldNotRead(snapshot.RemoteSecretsPart); !there || unread {
		return nil
	}
	known := []string{plane.ClusterID}
	for _, secret := range primary.RemoteSecrets {
		known = append(known, secret.Cluster)
	}
	configMap := &metav1.ObjectMeta{Namespace: a.Namespace, Name: plane.ConfigMap}
	messages, err := istio.AnalyzeNetworks(ctx, configMap, plane.MeshNetworks, known)
	if err != nil {
		return []istio.Finding{{Level: "Error", Kind: "MeshNetworks", Namespace: a.Namespace, Name: plane.ConfigMap, Text: err.Error()}}
	}
	return messages
}

// ofMesh leaves out the Services that differ from cluster to cluster on purpose: Istio's own, and the API server's.
func (a Analysis) ofMesh(services []corev1.Service) []corev1.Service {
	return slices.DeleteFunc(slices.Clone(services), func(s corev1.Service) bool {
		return s.Namespace == a.Namespace || s.Namespace == metav1.NamespaceDefault && s.Name == "kubernetes"
	})
}

func (f *findings) addMessages(cluster string, messages []istio.Finding) {
	f.add(cluster, func(c *snapshot.Cluster) {
		for _, m := range messages {
			c.Analysis = append(c.Analysis, snapshot.AnalysisMessage(m))
		}
	})
}
