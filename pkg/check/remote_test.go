package check

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func remoteScenarios() []scenario {
	revisioned := func(w *world) {
		w.mesh.Revision, w.controlPlane().Revision, w.controlPlane().Name, w.east().Exposed = "canary", "canary", "istiod-canary", []string{"canary"}
	}
	status := func(w *world, pod int, text string) { w.controlPlane().Replicas[pod].Clusters[2].Status = text }
	return []scenario{
		{
			name: "its address means itself", command: BeforeAttach,
			change: func(w *world) { w.west().Server = "https://127.0.0.1:40001" },
			want:   []string{"fail secret-localhost west"},
		},
		{
			name: "the user's address means itself", command: BeforeAttach,
			change: func(w *world) { w.mesh.Clusters[2].Server = "https://localhost:6443" },
			want:   []string{"fail secret-localhost west"},
		},
		{
			name: "the user's address instead", command: BeforeAttach,
			change: func(w *world) {
				w.west().Server, w.mesh.Clusters[2].Server = "https://127.0.0.1:40001", "https://172.18.0.3:6443"
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
				w.west().Proxy, w.mesh.Clusters[2].Server = "proxy.example:3128", "https://west.example:6443"
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
				w.west().Untrusted, w.mesh.Clusters[2].Server = "x509: signed by unknown authority", "https://172.18.0.3:6443"
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
				w.mesh.Clusters[1].Name = "east"
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
				for i := range w.controlPlane().Replicas {
					w.controlPlane().Replicas[i].Clusters = w.controlPlane().Replicas[i].Clusters[:2]
				}
			},
			want: []string{"fail secret-missing west"},
		},
		{
			name: "nothing of it is there yet",
			change: func(w *world) {
				w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
				for i := range w.controlPlane().Replicas {
					w.controlPlane().Replicas[i].Clusters = w.controlPlane().Replicas[i].Clusters[:2]
				}
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
				for i := range w.controlPlane().Replicas {
					w.controlPlane().Replicas[i].Clusters = w.controlPlane().Replicas[i].Clusters[:2]
				}
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

		{
			name: "no annotation",
			change: func(w *world) {
				w.west().Namespace.ControlPlaneClusters, w.west().RootCert = "", ""
				w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
			},
			want: []string{"fail annotation-missing west"},
		},
		{
			name: "annotated too late",
			change: func(w *world) {
				w.west().RootCert, w.west().RootCerts = "", nil
				w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
			},
			want: []string{"fail annotation-late west"},
		},
		{
			name: "nothing is written, since istiod may not",
			change: func(w *world) {
				w.west().RootCert, w.west().RootCerts = "", nil
				w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
				w.secret().Use.Denied = []snapshot.Permission{{Verb: "create", Resource: "configmaps"}}
			},
			want: []string{"fail reader-rbac west"},
		},
		{
			name: "nothing is written, since istiod manages no remotes",
			change: func(w *world) {
				for _, name := range []string{"south", "west"} {
					seen := w.snapshot.Clusters[name]
					seen.RootCert, seen.RootCerts = "", nil
					seen.Injectors[0].CABundles, seen.Injectors[1].CABundles = []string{""}, []string{""}
				}
				w.controlPlane().ExternalIstiod = false
			},
			want: []string{"fail external-off east"},
		},
		{
			name: "no webhook has a certificate, but istiod leads",
			change: func(w *world) {
				w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
			},
			want: []string{"fail cabundle-empty west"},
		},
		{
			name:   "no namespace",
			change: func(w *world) { w.west().Namespace = nil },
			want:   []string{"fail annotation-missing west"},
		},
		{
			name:   "another primary's annotation",
			change: func(w *world) { w.west().Namespace.ControlPlaneClusters = "eastern" },
			want:   []string{"fail annotation-missing west"},
		},
		{
			name:   "no label",
			change: func(w *world) { w.west().Namespace.Network = "" },
			want:   []string{"fail network-label west"},
		},
		{
			name: "another network than its pods",
			change: func(w *world) {
				w.west().Namespace.Network, w.mesh.Clusters[2].Network = "network9", "network9" // as Complete finds it
			},
			want: []string{"fail network-label west"},
		},
		{
			name:   "no injector",
			change: func(w *world) { w.west().Injectors = nil },
			want:   []string{"fail revision-mismatch west"},
		},
		{
			name:   "an injector of another revision",
			change: func(w *world) { w.west().Injectors[0].Revision, w.west().Injectors[1].Revision = "canary", "old" },
			want:   []string{"fail revision-mismatch west"},
		},
		{
			name: "a primary of another revision",
			change: func(w *world) {
				revisioned(w)
				for _, name := range []string{"east", "south", "west"} {
					for i := range w.snapshot.Clusters[name].Injectors {
						w.snapshot.Clusters[name].Injectors[i].Revision = "canary"
					}
				}
				w.snapshot.Clusters["south"].IstiodServices[0].Name = "istiod-canary"
			},
			want: []string{"fail slice-missing west"},
		},
		{
			name: "the injector names another cluster",
			change: func(w *world) {
				w.west().Injectors[1].Paths = append(w.west().Injectors[1].Paths, "/inject/cluster/occident/net/network1")
			},
			want: []string{"fail name-mismatch west"},
		},
		{
			name:   "the injector names no cluster",
			change: func(w *world) { w.west().Injectors[0].Paths = []string{"/inject"} },
			want:   []string{"fail name-mismatch west"},
		},

		{
			name:   "no Service",
			change: func(w *world) { w.west().IstiodServices = nil },
			want:   []string{"fail slice-missing west"},
		},
		{
			name: "no Service, and no address for one",
			change: func(w *world) {
				w.west().IstiodServices, w.west().Installed["default"] = nil, snapshot.Installed{MeshID: "mesh1"}
			},
			want: []string{"fail address-empty west"},
		},
		{
			name:   "no address, but a Service",
			change: func(w *world) { w.west().Installed["default"] = snapshot.Installed{MeshID: "mesh1"} },
		},
		{
			name: "its values can't be read",
			change: func(w *world) {
				w.west().Installed = nil
				w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.InstalledValues, Reason: "forbidden"}}
			},
			want: []string{"unknown mesh-id west"},
		},
		{
			name: "no Service, and its values can't be read",
			change: func(w *world) {
				w.west().Installed, w.west().IstiodServices = nil, nil
				w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.InstalledValues, Reason: "forbidden"}}
			},
			want: []string{"unknown address-empty west", "fail slice-missing west"},
		},
		{
			name:   "no EndpointSlice",
			change: func(w *world) { w.west().IstiodServices[0].Addresses = nil },
			want:   []string{"fail slice-missing west"},
		},
		{
			name:   "the gateway has moved",
			change: func(w *world) { w.gateway().Address = "192.0.2.99" },
			want:   []string{"fail slice-missing south", "fail slice-missing west"},
		},
		{
			name: "another hostname",
			change: func(w *world) {
				w.west().IstiodServices = []snapshot.IstiodService{{Name: "istiod", ExternalName: "old.example"}}
			},
			want: []string{"fail slice-missing west"},
		},

		{
			name:   "one replica has not synced",
			change: func(w *world) { status(w, 1, "timeout") },
			want:   []string{"fail sync-partial west"},
		},
		{
			name:   "one replica does not know it",
			change: func(w *world) { w.controlPlane().Replicas[0].Clusters = w.controlPlane().Replicas[0].Clusters[:2] },
			want:   []string{"fail sync-partial west"},
		},
		{
			name: "both wait for it",
			change: func(w *world) {
				status(w, 0, "syncing")
				status(w, 1, "timeout")
			},
			want: []string{"fail not-synced west"},
		},
		{
			name: "both have given it up",
			change: func(w *world) {
				status(w, 0, "closed")
				status(w, 1, "closed")
			},
			want: []string{"fail not-synced west"},
		},
		{
			name:   "one replica is silent",
			change: func(w *world) { w.controlPlane().Replicas[0] = snapshot.Replica{Pod: "istiod-a", Error: "refused"} },
			want:   []string{"unknown not-synced south", "unknown not-synced west"},
		},
		{
			name: "one replica is silent, and another has not synced",
			change: func(w *world) {
				w.controlPlane().Replicas[0] = snapshot.Replica{Pod: "istiod-a", Error: "refused"}
				status(w, 1, "syncing")
			},
			want: []string{"unknown not-synced south", "fail not-synced west"},
		},
		{
			name:   "no replica runs",
			change: func(w *world) { w.controlPlane().Replicas, w.controlPlane().Ready = nil, 0 },
			want:   []string{"fail istiod-ready east"},
		},
		{
			name:   "no replica was asked",
			change: func(w *world) { w.controlPlane().Replicas = nil },
			want:   []string{"unknown not-synced south", "unknown not-synced west"},
		},
		{
			name:   "no certificate in a webhook",
			change: func(w *world) { w.west().Injectors[1].CABundles = []string{"", "root"} },
			want:   []string{"fail cabundle-empty west"},
		},
		{
			name:   "an injector without webhooks",
			change: func(w *world) { w.west().Injectors[0].CABundles = nil },
			want:   []string{"fail cabundle-empty west"},
		},
		{
			name:   "another root's certificate in a webhook",
			change: func(w *world) { w.west().Injectors[0].CABundles = []string{"other", "root"} },
			want:   []string{"fail cabundle-empty west"},
		},
		{
			name: "another mesh's certificates everywhere",
			change: func(w *world) {
				w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{"other"}, []string{"other"}
				w.west().RootCert, w.west().RootCerts = "other", map[string]string{"istio-system": "other", "shop": "other"}
			},
			want: []string{"fail cabundle-empty west"},
		},
		{
			name: "the primary tells no root",
			change: func(w *world) {
				w.east().RootCert, w.east().Injectors = "", nil
				w.east().Unreadable = []snapshot.Unreadable{{What: snapshot.RootCertificate, Reason: "configmaps are forbidden"}, {What: snapshot.Injectors, Reason: "webhooks are forbidden"}}
			},
			want: []string{"unknown primary-is-remote east", "unknown root-cm-missing east"},
		},
		{
			name:   "no root certificate",
			change: func(w *world) { w.west().RootCert = "" },
			want:   []string{"fail root-cm-missing west"},
		},
		{
			name:   "no root certificate in the primary",
			change: func(w *world) { w.east().RootCert = "" },
			want:   []string{"fail root-cm-missing east"},
		},
		{
			name:   "another root",
			change: func(w *world) { w.west().RootCert = "other" },
			want:   []string{"fail roots-differ west"},
		},
	}
}

func TestRemote(t *testing.T) {
	t.Parallel()
	play(t, "remote.txt", remoteScenarios())
}

func TestIsLocal(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://127.9.9.9": true, "https://localhost:6443": true, "https://LocalHost": true,
		"https://[::1]:6443": true, "https://0.0.0.0:6443": true, "https://[::]:6443": true, "https://kind.localhost:6443/path": true,
		"localhost:6443": true, "127.0.0.1:6443": true, "127.0.0.1": true, "[::1]:6443": true,
		"https://10.0.0.1:6443": false, "https://api.example:6443": false, "https://localhost.example": false, "https://[fd00::1]:6443": false,
		"api.example:6443": false, "": false, "https://": false, "%": false,
	} {
		if got := mesh.IsLocal(server); got != want {
			t.Errorf("mesh.IsLocal(%q) = %v", server, got)
		}
	}
}
