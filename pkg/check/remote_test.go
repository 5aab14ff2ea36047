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
		{"its address means itself", BeforeAttach, func(w *world) { w.west().Server = "https://127.0.0.1:40001" }, []string{"fail secret-localhost west"}},
		{"the user's address means itself", BeforeAttach, func(w *world) { w.mesh.Clusters[2].Server = "https://localhost:6443" }, []string{"fail secret-localhost west"}},
		{"the user's address instead", BeforeAttach, func(w *world) {
			w.west().Server, w.mesh.Clusters[2].Server = "https://127.0.0.1:40001", "https://172.18.0.3:6443"
		}, nil},
		{"a proxy on the way", BeforeAttach, func(w *world) { w.west().Proxy = "proxy.example:3128" }, []string{"fail secret-proxy west"}},
		{"a proxy on the user's way alone", BeforeAttach, func(w *world) {
			w.west().Proxy, w.mesh.Clusters[2].Server = "proxy.example:3128", "https://west.example:6443"
		}, nil},
		{"a proxy before the API server", BeforeAttach, func(w *world) { w.west().Untrusted = "x509: signed by unknown authority" }, []string{"fail secret-ca west"}},
		{"a proxy before the API server, and another address", BeforeAttach, func(w *world) {
			w.west().Untrusted, w.mesh.Clusters[2].Server = "x509: signed by unknown authority", "https://172.18.0.3:6443"
		}, nil},
		{"the secret's address means the pod", "", func(w *world) { w.secret().Server = "https://[::1]:6443" }, []string{"fail secret-localhost west"}},
		{"the kubeconfig's is none of the secret's", "", func(w *world) { w.west().Server = "https://127.0.0.1:40001" }, nil},

		{"the primary's name", BeforeAttach, func(w *world) {
			w.mesh.Clusters = w.mesh.Clusters[:2]
			w.mesh.Clusters[1].Name = "east"
		}, []string{"fail same-cluster east", "fail name-duplicate east"}},
		{"another cluster's name", BeforeAttach, func(w *world) { w.west().UID, w.west().Server = "uid-new", "https://new.example:6443" }, []string{"fail name-duplicate west"}},
		{"another cluster of the same CA", BeforeAttach, func(w *world) {
			for _, name := range []string{"east", "south", "west"} {
				w.snapshot.Clusters[name].CA = "shared"
			}
			w.east().RemoteSecrets[0].CA = "shared"
			w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
		}, nil},
		{"a mesh of one CA", "", func(w *world) {
			for _, name := range []string{"east", "south", "west"} {
				w.snapshot.Clusters[name].CA = "shared"
			}
			w.east().RemoteSecrets[0].CA, w.secret().CA = "shared", "shared"
		}, nil},
		{"its name is that of a secret which nobody can follow", BeforeAttach, func(w *world) {
			w.secret().UID, w.secret().Token = "", "revoked"
			w.secret().Unidentified = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: "no answer within 3s"}
		}, []string{"unknown name-duplicate west"}},
		{"a secret which nobody can follow, with its own token", BeforeAttach, func(w *world) {
			w.secret().UID = ""
			w.secret().Unidentified = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: "no answer within 3s"}
		}, nil},
		{"another's secret which nobody can follow", BeforeAttach, func(w *world) {
			w.east().RemoteSecrets[0].UID, w.mesh.Clusters = "", slices.Delete(w.mesh.Clusters, 1, 2)
		}, nil},
		{"attached under another name", BeforeAttach, func(w *world) { w.secret().Cluster, w.secret().Secret = "occident", "istio-remote-secret-occident" },
			[]string{"fail name-duplicate west"}},
		{"its CA is new", BeforeAttach, func(w *world) { w.west().CA = "ca-new" }, nil},
		{"attached for the first time", BeforeAttach, func(w *world) { w.east().RemoteSecrets = w.east().RemoteSecrets[:1] }, nil},
		{"two secrets", "", func(w *world) {
			w.east().RemoteSecrets = append(w.east().RemoteSecrets, snapshot.RemoteSecret{
				Secret: "mine", Cluster: "west", Server: "https://west.example:6443", CA: "ca-west", UID: "uid-west",
			})
		}, []string{"fail name-duplicate west"}},
		{"no secret", "", func(w *world) {
			w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
			for i := range w.controlPlane().Replicas {
				w.controlPlane().Replicas[i].Clusters = w.controlPlane().Replicas[i].Clusters[:2]
			}
		}, []string{"fail secret-missing west"}},
		{"nothing of it is there yet", "", func(w *world) {
			w.east().RemoteSecrets = w.east().RemoteSecrets[:1]
			for i := range w.controlPlane().Replicas {
				w.controlPlane().Replicas[i].Clusters = w.controlPlane().Replicas[i].Clusters[:2]
			}
			bare := snapshot.Cluster{Name: "west", Context: "ctx-west", Server: "https://west.example:6443", UID: "uid-west", CA: "ca-west", KubernetesVersion: "v1.35.4"}
			w.snapshot.Clusters["west"] = &bare
			w.snapshot.Traffic = nil
		}, []string{"fail secret-missing west"}},
		{"the primary under another context", "", func(w *world) {
			again := *w.east()
			again.Name, again.Context, again.Namespace = "twin", "ctx-twin", &snapshot.Namespace{Network: "network1"}
			w.snapshot.Clusters["twin"] = &again
			w.mesh.Clusters = append(w.mesh.Clusters, mesh.Cluster{Name: "twin", Context: "ctx-twin", Role: mesh.Remote, Network: "network1"})
			w.snapshot.Traffic = nil
		}, []string{"fail same-cluster twin"}},
		{"two names", "", func(w *world) {
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
		}, []string{"fail name-duplicate occident"}},
		{"a secret with the primary's name", "", func(w *world) {
			w.east().RemoteSecrets = append(w.east().RemoteSecrets, snapshot.RemoteSecret{Secret: "mine", Cluster: "east"})
		}, []string{"fail name-duplicate east"}},
		{"istiod can't read the secret", "", func(w *world) {
			w.secret().Error, w.secret().CA = "the kubeconfig is empty", ""
			for i := range w.controlPlane().Replicas {
				w.controlPlane().Replicas[i].Clusters = w.controlPlane().Replicas[i].Clusters[:2]
			}
		}, []string{"fail secret-malformed west"}},
		{"a secret of a cluster that nobody asked about", "", func(w *world) {
			w.east().RemoteSecrets = append(w.east().RemoteSecrets, snapshot.RemoteSecret{Secret: "old", Cluster: "gone", Error: "the kubeconfig is empty"})
		}, []string{"fail secret-malformed gone"}},

		{"no annotation", "", func(w *world) {
			w.west().Namespace.ControlPlaneClusters, w.west().RootCert = "", ""
			w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
		}, []string{"fail annotation-missing west"}},
		{"annotated too late", "", func(w *world) {
			w.west().RootCert, w.west().RootCerts = "", nil
			w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
		}, []string{"fail annotation-late west"}},
		{"nothing is written, since istiod may not", "", func(w *world) {
			w.west().RootCert, w.west().RootCerts = "", nil
			w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
			w.secret().Use.Denied = []snapshot.Permission{{Verb: "create", Resource: "configmaps"}}
		}, []string{"fail reader-rbac west"}},
		{"nothing is written, since istiod manages no remotes", "", func(w *world) {
			for _, name := range []string{"south", "west"} {
				seen := w.snapshot.Clusters[name]
				seen.RootCert, seen.RootCerts = "", nil
				seen.Injectors[0].CABundles, seen.Injectors[1].CABundles = []string{""}, []string{""}
			}
			w.controlPlane().ExternalIstiod = false
		}, []string{"fail external-off east"}},
		{"no webhook has a certificate, but istiod leads", "", func(w *world) {
			w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{""}, []string{""}
		}, []string{"fail cabundle-empty west"}},
		{"no namespace", "", func(w *world) { w.west().Namespace = nil }, []string{"fail annotation-missing west"}},
		{"another primary's annotation", "", func(w *world) { w.west().Namespace.ControlPlaneClusters = "eastern" }, []string{"fail annotation-missing west"}},
		{"no label", "", func(w *world) { w.west().Namespace.Network = "" }, []string{"fail network-label west"}},
		{"another network than its pods", "", func(w *world) {
			w.west().Namespace.Network, w.mesh.Clusters[2].Network = "network9", "network9" // as Complete finds it
		}, []string{"fail network-label west"}},
		{"no injector", "", func(w *world) { w.west().Injectors = nil }, []string{"fail revision-mismatch west"}},
		{"an injector of another revision", "", func(w *world) { w.west().Injectors[0].Revision, w.west().Injectors[1].Revision = "canary", "old" },
			[]string{"fail revision-mismatch west"}},
		{"a primary of another revision", "", func(w *world) {
			revisioned(w)
			for _, name := range []string{"east", "south", "west"} {
				for i := range w.snapshot.Clusters[name].Injectors {
					w.snapshot.Clusters[name].Injectors[i].Revision = "canary"
				}
			}
			w.snapshot.Clusters["south"].IstiodServices[0].Name = "istiod-canary"
		}, []string{"fail slice-missing west"}},
		{"the injector names another cluster", "", func(w *world) {
			w.west().Injectors[1].Paths = append(w.west().Injectors[1].Paths, "/inject/cluster/occident/net/network1")
		}, []string{"fail name-mismatch west"}},
		{"the injector names no cluster", "", func(w *world) { w.west().Injectors[0].Paths = []string{"/inject"} }, []string{"fail name-mismatch west"}},

		{"no Service", "", func(w *world) { w.west().IstiodServices = nil }, []string{"fail slice-missing west"}},
		{"no Service, and no address for one", "", func(w *world) {
			w.west().IstiodServices, w.west().Installed["default"] = nil, snapshot.Installed{MeshID: "mesh1"}
		}, []string{"fail address-empty west"}},
		{"no address, but a Service", "", func(w *world) { w.west().Installed["default"] = snapshot.Installed{MeshID: "mesh1"} }, nil},
		{"its values can't be read", "", func(w *world) {
			w.west().Installed = nil
			w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.InstalledValues, Reason: "forbidden"}}
		}, []string{"unknown mesh-id west"}},
		{"no Service, and its values can't be read", "", func(w *world) {
			w.west().Installed, w.west().IstiodServices = nil, nil
			w.west().Unreadable = []snapshot.Unreadable{{What: snapshot.InstalledValues, Reason: "forbidden"}}
		}, []string{"unknown address-empty west", "fail slice-missing west"}},
		{"no EndpointSlice", "", func(w *world) { w.west().IstiodServices[0].Addresses = nil }, []string{"fail slice-missing west"}},
		{"the gateway has moved", "", func(w *world) { w.gateway().Address = "192.0.2.99" }, []string{"fail slice-missing south", "fail slice-missing west"}},
		{"another hostname", "", func(w *world) {
			w.west().IstiodServices = []snapshot.IstiodService{{Name: "istiod", ExternalName: "old.example"}}
		},
			[]string{"fail slice-missing west"}},

		{"one replica has not synced", "", func(w *world) { status(w, 1, "timeout") }, []string{"fail sync-partial west"}},
		{"one replica does not know it", "", func(w *world) { w.controlPlane().Replicas[0].Clusters = w.controlPlane().Replicas[0].Clusters[:2] }, []string{"fail sync-partial west"}},
		{"both wait for it", "", func(w *world) { status(w, 0, "syncing"); status(w, 1, "timeout") }, []string{"fail not-synced west"}},
		{"both have given it up", "", func(w *world) { status(w, 0, "closed"); status(w, 1, "closed") }, []string{"fail not-synced west"}},
		{"one replica is silent", "", func(w *world) { w.controlPlane().Replicas[0] = snapshot.Replica{Pod: "istiod-a", Error: "refused"} },
			[]string{"unknown not-synced south", "unknown not-synced west"}},
		{"one replica is silent, and another has not synced", "", func(w *world) {
			w.controlPlane().Replicas[0] = snapshot.Replica{Pod: "istiod-a", Error: "refused"}
			status(w, 1, "syncing")
		}, []string{"unknown not-synced south", "fail not-synced west"}},
		{"no replica runs", "", func(w *world) { w.controlPlane().Replicas, w.controlPlane().Ready = nil, 0 }, []string{"fail istiod-ready east"}},
		{"no replica was asked", "", func(w *world) { w.controlPlane().Replicas = nil }, []string{"unknown not-synced south", "unknown not-synced west"}},
		{"no certificate in a webhook", "", func(w *world) { w.west().Injectors[1].CABundles = []string{"", "root"} }, []string{"fail cabundle-empty west"}},
		{"an injector without webhooks", "", func(w *world) { w.west().Injectors[0].CABundles = nil }, []string{"fail cabundle-empty west"}},
		{"another root's certificate in a webhook", "", func(w *world) { w.west().Injectors[0].CABundles = []string{"other", "root"} },
			[]string{"fail cabundle-empty west"}},
		{"another mesh's certificates everywhere", "", func(w *world) {
			w.west().Injectors[0].CABundles, w.west().Injectors[1].CABundles = []string{"other"}, []string{"other"}
			w.west().RootCert, w.west().RootCerts = "other", map[string]string{"istio-system": "other", "shop": "other"}
		}, []string{"fail cabundle-empty west"}},
		{"the primary tells no root", "", func(w *world) {
			w.east().RootCert, w.east().Injectors = "", nil
			w.east().Unreadable = []snapshot.Unreadable{{What: snapshot.RootCertificate, Reason: "configmaps are forbidden"}, {What: snapshot.Injectors, Reason: "webhooks are forbidden"}}
		}, []string{"unknown primary-is-remote east", "unknown root-cm-missing east"}},
		{"no root certificate", "", func(w *world) { w.west().RootCert = "" }, []string{"fail root-cm-missing west"}},
		{"no root certificate in the primary", "", func(w *world) { w.east().RootCert = "" }, []string{"fail root-cm-missing east"}},
		{"another root", "", func(w *world) { w.west().RootCert = "other" }, []string{"fail roots-differ west"}},
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
