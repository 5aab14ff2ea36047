package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func clusterScenarios() []scenario {
	return []scenario{
		{"no answer", BeforeAttach, func(w *world) {
			*w.west() = snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443",
				Unreadable: []snapshot.Unreadable{{What: snapshot.APIServer, Reason: "no answer within 10s"}}}
		}, []string{"unknown reachable west"}},
		{"a refusal", BeforeAttach, func(w *world) {
			*w.west() = snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443",
				Unreadable: []snapshot.Unreadable{{What: snapshot.APIServer, Reason: "Unauthorized", Answered: true}}}
		}, []string{"fail reachable west"}},
		{"two contexts of one cluster", BeforeAttach, func(w *world) { w.west().UID = "uid-south" }, []string{"fail same-cluster west"}},
		{"a permission lacks on each side", BeforeAttach, func(w *world) {
			w.east().Denied = []snapshot.Permission{{Verb: "create", Resource: "pods/portforward", Namespace: "istio-system"}}
			w.west().Denied = []snapshot.Permission{
				{Verb: "create", Group: "rbac.authorization.k8s.io", Resource: "clusterroles"},
				{Verb: "patch", Resource: "namespaces", Name: "istio-system"},
				{Verb: "patch", Resource: "secrets", Namespace: "istio-system"},
			}
		}, []string{"fail permission east", "fail permission west"}},
		{"a namespace can't be made, and there is none", BeforeAttach, func(w *world) {
			w.west().Namespace = nil
			w.west().Denied = []snapshot.Permission{{Verb: "create", Resource: "namespaces", Name: "istio-system"}}
		}, []string{"fail permission west"}},
		{"a namespace can't be made, and is there", BeforeAttach, func(w *world) {
			w.west().Denied = []snapshot.Permission{{Verb: "create", Resource: "namespaces", Name: "istio-system"}}
		}, nil},
		{"old Kubernetes", BeforeInstall, func(w *world) { w.east().KubernetesVersion = "v1.29.9-eks-1" }, []string{"fail kubernetes-version east"}},
		{"the oldest Kubernetes that will do", BeforeInstall, func(w *world) { w.east().KubernetesVersion = "v1.30.0-gke.100" }, nil},
		{"a version that nobody can read", BeforeInstall, func(w *world) { w.east().KubernetesVersion = "main" }, []string{"warn kubernetes-version east"}},
		{"the namespace is going", BeforeAttach, func(w *world) { w.west().Namespace.Terminating = true }, []string{"fail namespace-terminating west"}},
		{"no namespace yet", BeforeAttach, func(w *world) { w.west().Namespace = nil }, nil},
		{"a control plane of its own", BeforeAttach, func(w *world) {
			w.west().ControlPlanes = []snapshot.ControlPlane{{Name: "istiod", Revision: "default", ClusterID: "Kubernetes", InstalledBy: "helm"}}
		}, []string{"fail own-control-plane west"}},
		{"a control plane of its own, of an unknown tool", "", func(w *world) {
			w.west().ControlPlanes = []snapshot.ControlPlane{{Name: "istiod-old", Revision: "old", ClusterID: "west"}}
		}, []string{"fail own-control-plane west"}},
		{"another primary's remote", BeforeAttach, func(w *world) { w.west().Namespace.ControlPlaneClusters = "eastern,other" }, []string{"fail other-primary west"}},
		{"every primary's remote", BeforeAttach, func(w *world) { w.west().Namespace.ControlPlaneClusters = "*" }, nil},
		{"a remote of ours and another", BeforeAttach, func(w *world) { w.west().Namespace.ControlPlaneClusters = "other,east" }, nil},
		{"nobody's remote yet", BeforeAttach, func(w *world) { w.west().Namespace.ControlPlaneClusters = "" }, nil},
		{"no label for the network", "", func(w *world) { w.west().Namespace.Network = "" }, []string{"fail network-label west"}},
		{"the label of another network", "", func(w *world) { w.east().Namespace.Network = "network9" }, []string{"fail network-label east"}},
		{"no network is named", "", func(w *world) {
			for i := range w.mesh.Clusters {
				w.mesh.Clusters[i].Network = ""
			}
			w.west().Namespace.Network = ""
		}, nil},
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	play(t, "clusters.txt", clusterScenarios())
}

// Until the primary has told its name, it goes by its context.
func TestNamelessPrimary(t *testing.T) {
	t.Parallel()
	m := mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{{Context: "ctx-east", Role: mesh.Primary}}}
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{"": {Context: "ctx-east", KubernetesVersion: "v1.35.4"}}}
	results := Gate(BeforeExpose, m, s, charts(), command.Caller{})
	for _, r := range results {
		if r.Cluster != "ctx-east" {
			t.Errorf("%s speaks of cluster %q", r.ID, r.Cluster)
		}
	}
	if Worst(results) != Fail {
		t.Errorf("istiod can be published though there is none: %+v", results)
	}
}
