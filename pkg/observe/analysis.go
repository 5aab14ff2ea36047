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

// Analyze runs Istio's multicluster analyzers over what was read of all clusters, and notes their messages at the
// clusters that they are about. It calls no API server.
func Analyze(ctx context.Context, s *snapshot.Snapshot, a Analysis) {
	var services []istio.ClusterServices
	for _, name := range a.Clusters {
		if seen := s.Clusters[name]; seen != nil {
			services = append(services, istio.ClusterServices{Cluster: name, Services: a.ofMesh(seen.ServiceObjects)})
		}
	}
	for name, findings := range istio.AnalyzeServices(ctx, services) {
		noteFindings(s.Clusters[name], findings)
	}
	if len(a.Clusters) == 0 || s.Clusters[a.Clusters[0]] == nil {
		return
	}
	primary := s.Clusters[a.Clusters[0]]
	plane, found := primary.ControlPlane(a.Revision)
	if _, unread := primary.CouldNotRead(snapshot.RemoteSecretsPart); !found || unread {
		return
	}
	known := []string{plane.ClusterID}
	for _, secret := range primary.RemoteSecrets {
		known = append(known, secret.Cluster)
	}
	configMap := &metav1.ObjectMeta{Namespace: a.Namespace, Name: plane.ConfigMap}
	findings, err := istio.AnalyzeNetworks(ctx, configMap, plane.MeshNetworks, known)
	if err != nil {
		findings = []istio.Finding{{Level: "Error", Kind: "MeshNetworks", Namespace: a.Namespace, Name: plane.ConfigMap, Text: err.Error()}}
	}
	noteFindings(primary, findings)
}

// ofMesh leaves out the Services that differ from cluster to cluster on purpose: Istio's own, and the API server's.
func (a Analysis) ofMesh(services []corev1.Service) []corev1.Service {
	return slices.DeleteFunc(slices.Clone(services), func(s corev1.Service) bool {
		return s.Namespace == a.Namespace || s.Namespace == metav1.NamespaceDefault && s.Name == "kubernetes"
	})
}

func noteFindings(c *snapshot.Cluster, findings []istio.Finding) {
	for _, f := range findings {
		c.Analysis = append(c.Analysis, snapshot.AnalysisMessage(f))
	}
}
