package check

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func clusterScenarios() []scenario {
	return []scenario{
		{
			name: "no answer", command: BeforeAttach,
			change: func(w *world) {
				*w.west() = snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443",
					Unreadable: couldNotRead(snapshot.APIServer, "no answer within 10s")}
			},
			want: []string{"unknown reachable west"},
		},
		{
			name: "a refusal", command: BeforeAttach,
			change: func(w *world) {
				*w.west() = snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443",
					Unreadable: []snapshot.Unreadable{{What: snapshot.APIServer, Reason: "Unauthorized", Answered: true}}}
			},
			want: []string{"fail reachable west"},
		},
		{
			name: "two contexts of one cluster", command: BeforeAttach,
			change: func(w *world) { w.west().UID = "uid-south" },
			want:   []string{"fail same-cluster west"},
		},
		{
			name: "a permission lacks on each side", command: BeforeAttach,
			change: func(w *world) {
				w.east().Denied = []snapshot.Permission{{Verb: "create", Resource: "pods/portforward", Namespace: "istio-system"}}
				w.west().Denied = []snapshot.Permission{
					{Verb: "create", Group: "rbac.authorization.k8s.io", Resource: "clusterroles"},
					{Verb: "patch", Resource: "namespaces", Name: "istio-system"},
					{Verb: "patch", Resource: "secrets", Namespace: "istio-system"},
				}
			},
			want: []string{"fail permission east", "fail permission west"},
		},
		{
			name: "a namespace can't be made, and there is none", command: BeforeAttach,
			change: func(w *world) {
				w.west().Namespace = nil
				w.west().Denied = []snapshot.Permission{{Verb: "create", Resource: "namespaces", Name: "istio-system"}}
			},
			want: []string{"fail permission west"},
		},
		{
			name: "a namespace can't be made, and is there", command: BeforeAttach,
			change: func(w *world) {
				w.west().Denied = []snapshot.Permission{{Verb: "create", Resource: "namespaces", Name: "istio-system"}}
			},
		},
		{
			name: "old Kubernetes", command: BeforeInstall,
			change: func(w *world) { w.east().KubernetesVersion = "v1.29.9-eks-1" },
			want:   []string{"fail kubernetes-version east"},
		},
		{
			name: "the oldest Kubernetes that will do", command: BeforeInstall,
			change: func(w *world) { w.east().KubernetesVersion = "v1.30.0-gke.100" },
		},
		{
			name: "a version that nobody can read", command: BeforeInstall,
			change: func(w *world) { w.east().KubernetesVersion = "main" },
			want:   []string{"warn kubernetes-version east"},
		},
		{
			name: "the namespace is going", command: BeforeAttach,
			change: func(w *world) { w.west().Namespace.Terminating = true },
			want:   []string{"fail namespace-terminating west"},
		},
		{
			name: "no namespace yet", command: BeforeAttach,
			change: func(w *world) { w.west().Namespace = nil },
		},
		{
			name: "a control plane of its own", command: BeforeAttach,
			change: func(w *world) {
				w.west().ControlPlanes = []snapshot.ControlPlane{{Name: "istiod", Revision: "default", ClusterID: "Kubernetes", InstalledBy: "helm"}}
			},
			want: []string{"fail own-control-plane west"},
		},
		{
			name: "a control plane of its own, of an unknown tool",
			change: func(w *world) {
				w.west().ControlPlanes = []snapshot.ControlPlane{{Name: "istiod-old", Revision: "old", ClusterID: "west"}}
			},
			want: []string{"fail own-control-plane west"},
		},
		{
			name: "another primary's remote", command: BeforeAttach,
			change: func(w *world) { w.west().Namespace.ControlPlaneClusters = "eastern,other" },
			want:   []string{"fail other-primary west"},
		},
		{
			name: "every primary's remote", command: BeforeAttach,
			change: func(w *world) { w.west().Namespace.ControlPlaneClusters = "*" },
		},
		{
			name: "a remote of ours and another", command: BeforeAttach,
			change: func(w *world) { w.west().Namespace.ControlPlaneClusters = "other,east" },
		},
		{
			name: "nobody's remote yet", command: BeforeAttach,
			change: func(w *world) { w.west().Namespace.ControlPlaneClusters = "" },
		},
		{
			name:   "no label for the network",
			change: func(w *world) { w.west().Namespace.Network = "" },
			want:   []string{"fail network-label west"},
		},
		{
			name:   "the label of another network",
			change: func(w *world) { w.east().Namespace.Network = "network9" },
			want:   []string{"fail network-label east"},
		},
		{
			name: "no network is named",
			change: func(w *world) {
				for i := range w.mesh.Clusters {
					w.mesh.Clusters[i].Network = ""
				}
				w.west().Namespace.Network = ""
			},
		},
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
	results := Judge(BeforeExpose, m, s, charts(), command.Caller{})
	for _, r := range results {
		if r.Cluster != "ctx-east" {
			t.Errorf("%s speaks of cluster %q", r.ID, r.Cluster)
		}
	}
	if Worst(results) != Fail {
		t.Errorf("istiod can be published though there is none: %+v", results)
	}
}
