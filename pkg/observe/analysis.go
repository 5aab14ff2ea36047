package observe

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// AnalysisMessage is what one of Istio's own analyzers says of an object.
type AnalysisMessage struct {
	// Code is Istio's, such as IST0170; empty where istiod can't read what the analyzer would.
	Code string `json:"code,omitempty"`
	// Level is Istio's word for how bad it is.
	Level string `json:"level"`
	// Kind, Namespace and Name are the object's.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Clusters are those whose objects were compared.
	Clusters []string `json:"clusters,omitempty"`
	// Text is the analyzer's.
	Text string `json:"text"`
}

// Analysis says what to analyze.
type Analysis struct {
	// Clusters are those of the mesh, the primary first.
	Clusters []string
	// Namespace is Istio's, Revision the mesh's as in the label istio.io/rev.
	Namespace, Revision string
}

// Analyze runs Istio's multicluster analyzers over what was read of all clusters, and notes their messages at the
// clusters that they are about. It calls no API server.
func Analyze(ctx context.Context, s *Snapshot, a Analysis) {
	var services []istio.ClusterServices
	for _, name := range a.Clusters {
		if seen := s.Clusters[name]; seen != nil {
			services = append(services, istio.ClusterServices{Cluster: name, Services: a.ofMesh(seen.services)})
		}
	}
	for name, findings := range istio.AnalyzeServices(ctx, services) {
		s.Clusters[name].note(findings)
	}
	if len(a.Clusters) == 0 || s.Clusters[a.Clusters[0]] == nil {
		return
	}
	primary := s.Clusters[a.Clusters[0]]
	plane, found := primary.ControlPlane(a.Revision)
	if _, unread := primary.CouldNotRead(RemoteSecretsPart); !found || unread {
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
	primary.note(findings)
}

// ofMesh leaves out the Services that differ from cluster to cluster on purpose: Istio's own, and the API server's.
func (a Analysis) ofMesh(services []corev1.Service) []corev1.Service {
	return slices.DeleteFunc(slices.Clone(services), func(s corev1.Service) bool {
		return s.Namespace == a.Namespace || s.Namespace == metav1.NamespaceDefault && s.Name == "kubernetes"
	})
}

func (c *Cluster) note(findings []istio.Finding) {
	for _, f := range findings {
		c.Analysis = append(c.Analysis, AnalysisMessage(f))
	}
}
