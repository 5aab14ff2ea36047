package observe

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// What differs on purpose is not complained of. Not parallel: as the analyzer of networks itself.
func TestAnalyze(t *testing.T) {
	service := func(namespace, name string, port int32) corev1.Service {
		return corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: port}}},
		}
	}
	services := func(port int32) []corev1.Service {
		return []corev1.Service{
			service("istio-system", "istiod", port), service("default", "kubernetes", port), service("default", "cart", port),
			service("shop", "kubernetes", port), service("shop", "same", 80),
		}
	}
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
		"east": {ServiceObjects: services(80), ControlPlanes: []snapshot.ControlPlane{{
			Revision: "canary", ClusterID: "east", ConfigMap: "istio-canary",
			MeshNetworks: "networks: {n: {endpoints: [{fromRegistry: east}, {fromRegistry: west}, {fromRegistry: gone}], gateways: [{address: 192.0.2.1, port: 15443}]}}",
		}}, RemoteSecrets: []snapshot.RemoteSecret{{Cluster: "west"}}},
		"west": {ServiceObjects: services(81)},
	}}
	found := Analyze(t.Context(), s, Analysis{Clusters: []string{"east", "west", "unseen"}, Namespace: "istio-system", Revision: "canary"})
	var said []string
	for _, name := range []string{"east", "west"} {
		for _, m := range found.Clusters[name].Analysis {
			said = append(said, name+": "+m.Code+" "+m.Kind+" "+m.Namespace+"/"+m.Name)
		}
	}
	want := []string{"east: IST0126 MeshNetworks istio-system/istio-canary", "west: IST0170 Service default/cart", "west: IST0170 Service shop/kubernetes"}
	if !slices.Equal(said, want) {
		t.Errorf("said is %q, not %q", said, want)
	}
	s.Clusters["east"].ControlPlanes[0].MeshNetworks = "networks: ["
	found = Analyze(t.Context(), s, Analysis{Clusters: []string{"east"}, Namespace: "istio-system", Revision: "canary"})
	if m := found.Clusters["east"].Analysis; len(m) != 1 || m[0].Code != "" || m[0].Text == "" {
		t.Errorf("networks that can't be read: %+v", m)
	}
	Analyze(t.Context(), &snapshot.Snapshot{}, Analysis{Clusters: []string{""}})
}
