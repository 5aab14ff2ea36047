package check

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// credentialScenarios are faults of the secrets with which a control plane reads a remote.
func credentialScenarios() []scenario {
	return []scenario{
		{
			name: "its address means itself", command: BeforeAttach,
			change: func(w *world) { w.west().Server = "https://127.0.0.1:40001" },
			want:   []string{"fail secret-localhost west"},
		},
		{
			name: "the user's address means itself", command: BeforeAttach,
			change: func(w *world) { w.cluster("west").Server = "https://localhost:6443" },
			want:   []string{"fail secret-localhost west"},
		},
		{
			name: "the user's address instead", command: BeforeAttach,
			change: func(w *world) {
				w.west().Server, w.cluster("west").Server = "https://127.0.0.1:40001", "https://172.18.0.3:6443"
			},
		},
		{
			name: "a proxy on the way", command: BeforeAttach,
			change: func(w *world) { w.west().Proxy = "proxy.example:3128" },
			want:   []string{"fail secret-proxy west"},
		},
		{
			name: "a proxy on the user's way alone", command: BeforeAttach,
			change: func(w *world) {
				w.west().Proxy, w.cluster("west").Server = "proxy.example:3128", "https://west.example:6443"
			},
		},
		{
			name: "a proxy before the API server", command: BeforeAttach,
			change: func(w *world) { w.west().Untrusted = "x509: signed by unknown authority" },
			want:   []string{"fail secret-ca west"},
		},
		{
			name: "a proxy before the API server, and another address", command: BeforeAttach,
			change: func(w *world) {
				w.west().Untrusted, w.cluster("west").Server = "x509: signed by unknown authority", "https://172.18.0.3:6443"
			},
		},
		{
			name:   "the secret's address means the pod",
			change: func(w *world) { w.secret().Server = "https://[::1]:6443" },
			want:   []string{"fail secret-localhost west"},
		},
		{
			name:   "the kubeconfig's is none of the secret's",
			change: func(w *world) { w.west().Server = "https://127.0.0.1:40001" },
		},

		{
			name: "the primary's name", command: BeforeAttach,
			change: func(w *world) {
				w.mesh.Clusters = w.mesh.Clusters[:2]
				w.cluster("south").Name = "east"
			},
			want: []string{"fail same-cluster east", "fail name-duplicate east"},
		},
		{
			name: "another cluster's name", command: BeforeAttach,
			change: func(w *world) { w.west().UID, w.west().Server = "uid-new", "https://new.example:6443" },
			want:   []string{"fail name-duplicate west"},
		},
		{
			name: "another cluster of the same CA", command: BeforeAttach,
			change: func(w *world) {
				for _, name := range []string{"east", "south", "west"} {
					w.snapshot.Clusters[name].CA = "shared"
				}
				w.east().RemoteSecrets[0].CA = "shared"
				w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
			},
		},
		{
			name: "a mesh of one CA",
			change: func(w *world) {
				for _, name := range []string{"east", "south", "west"} {
					w.snapshot.Clusters[name].CA = "shared"
				}
				w.east().RemoteSecrets[0].CA, w.secret().CA = "shared", "shared"
			},
		},
		{
			name: "its name is that of a secret which nobody can follow", command: BeforeAttach,
			change: func(w *world) {
				w.secret().UID, w.secret().Token = "", "revoked"
				w.secret().Unidentified = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: "no answer within 3s"}
			},
			want: []string{"unknown name-duplicate west"},
		},
		{
			name: "a secret which nobody can follow, with its own token", command: BeforeAttach,
			change: func(w *world) {
				w.secret().UID = ""
				w.secret().Unidentified = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: "no answer within 3s"}
			},
		},
		{
			name: "another's secret which nobody can follow", command: BeforeAttach,
			change: func(w *world) {
				w.east().RemoteSecrets[0].UID, w.mesh.Clusters = "", slices.Delete(w.mesh.Clusters, 1, 2)
			},
		},
		{
			name: "attached under another name", command: BeforeAttach,
			change: func(w *world) { w.secret().Cluster, w.secret().Secret = "occident", "istio-remote-secret-occident" },
			want:   []string{"fail name-duplicate west"},
		},
		{
			name: "its CA is new", command: BeforeAttach,
			change: func(w *world) { w.west().CA = "ca-new" },
		},
		{
			name: "attached for the first time", command: BeforeAttach,
			change: func(w *world) { w.east().RemoteSecrets = w.east().RemoteSecrets[:1] },
		},
		{
			name: "two secrets",
			change: func(w *world) {
				w.east().RemoteSecrets = append(w.east().RemoteSecrets, snapshot.RemoteSecret{
					Secret: "mine", Cluster: "west", Server: "https://west.example:6443", CA: "ca-west", UID: "uid-west",
				})
			},
			want: []string{"fail name-duplicate west"},
		},
		{
			name: "no secret",
			change: func(w *world) {
				w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
				w.forget("east", "west")
			},
			want: []string{"fail secret-missing west"},
		},
		{
			name: "nothing of it is there yet",
			change: func(w *world) {
				w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
				w.forget("east", "west")
				bare := snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443", UID: "uid-west", CA: "ca-west", KubernetesVersion: "v1.35.4"}
				w.snapshot.Clusters["west"] = &bare
				w.snapshot.Traffic = nil
			},
			want: []string{"fail secret-missing west"},
		},
		{
			name: "the primary under another context",
			change: func(w *world) {
				again := *w.east()
				again.Name, again.Context, again.Namespace = "twin", "ctx-twin", &snapshot.Namespace{Network: "network1"}
				w.snapshot.Clusters["twin"] = &again
				w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "twin", Context: "ctx-twin", Role: mesh.Remote, Network: "network1"})
				w.snapshot.Traffic = nil
			},
			want: []string{"fail same-cluster twin"},
		},
		{
			name: "two names",
			change: func(w *world) {
				again := *w.west()
				again.Name = "occident"
				w.snapshot.Clusters["occident"] = &again
				w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "occident", Context: "ctx-west", Role: mesh.Remote, Network: "network1"})
				second := *w.secret()
				second.Secret, second.Cluster = "mine", "occident"
				w.east().RemoteSecrets = append(w.east().RemoteSecrets, second)
				for i := range w.controlPlane().Replicas {
					w.controlPlane().Replicas[i].Clusters = append(w.controlPlane().Replicas[i].Clusters, snapshot.SyncedRemote{ID: "occident", Status: "synced"})
				}
				w.snapshot.Traffic = nil
			},
			want: []string{"fail name-duplicate occident"},
		},
		{
			name: "a secret with the primary's name",
			change: func(w *world) {
				w.east().RemoteSecrets = append(w.east().RemoteSecrets, snapshot.RemoteSecret{Secret: "mine", Cluster: "east"})
			},
			want: []string{"fail name-duplicate east"},
		},
		{
			name: "istiod can't read the secret",
			change: func(w *world) {
				w.secret().Error, w.secret().CA = "the kubeconfig is empty", ""
				w.forget("east", "west")
			},
			want: []string{"fail secret-malformed west"},
		},
		{
			name: "a secret of a cluster that nobody asked about",
			change: func(w *world) {
				w.east().RemoteSecrets = append(w.east().RemoteSecrets, snapshot.RemoteSecret{Secret: "old", Cluster: "gone", Error: "the kubeconfig is empty"})
			},
			want: []string{"fail secret-malformed gone"},
		},
	}
}
