package plan

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// What the primary was told before stays while it works; the kubeconfig's address takes the place of one that does not.
func TestServer(t *testing.T) {
	t.Parallel()
	const recorded, kubeconfig = "https://10.0.0.1:6443", "https://west.example:6443"
	failed := func(problem snapshot.CredentialProblem) *snapshot.CredentialUse {
		return &snapshot.CredentialUse{Problem: problem, Error: "so it is"}
	}
	for _, test := range []struct {
		name   string
		given  string
		change func(secret *snapshot.RemoteSecret, west *snapshot.Cluster, replica *snapshot.Replica)
		want   string
	}{
		{name: "it works", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) { secret.UID = "uid-west" }, want: recorded},
		{name: "it was not tried", want: recorded},
		{name: "the account may not tell", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified = failed("")
		}, want: recorded},
		{name: "another certificate", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified = failed(snapshot.ServerUntrusted)
		}},
		{name: "another certificate, and the user's word", given: "https://192.0.2.1", want: "https://192.0.2.1", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified = failed(snapshot.ServerUntrusted)
		}},
		{name: "another certificate, and the kubeconfig's is local", want: recorded, change: func(secret *snapshot.RemoteSecret, west *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified, west.Server = failed(snapshot.ServerUntrusted), "https://127.0.0.1:40001"
		}},
		{name: "another certificate, and the kubeconfig's needs a proxy", want: recorded, change: func(secret *snapshot.RemoteSecret, west *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified, west.Proxy = failed(snapshot.ServerUntrusted), "proxy.example:3128"
		}},
		{name: "another certificate here and there", want: recorded, change: func(secret *snapshot.RemoteSecret, west *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified, west.Untrusted = failed(snapshot.ServerUntrusted), "x509"
		}},
		{name: "another certificate, and the kubeconfig's does not answer", want: recorded, change: func(secret *snapshot.RemoteSecret, west *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified, west.UID = failed(snapshot.ServerUntrusted), ""
		}},
		{name: "a token that was revoked", want: recorded, change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified, secret.Token = failed(snapshot.TokenRefused), "revoked"
		}},
		{name: "the remote's token is refused", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified = failed(snapshot.TokenRefused)
		}},
		{name: "it does not answer here, but istiod", want: recorded, change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Unidentified = failed(snapshot.ServerUnreachable)
		}},
		{name: "it answers nobody", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, replica *snapshot.Replica) {
			secret.Unidentified, replica.Clusters[0].Status = failed(snapshot.ServerUnreachable), "timeout"
		}},
		{name: "it does not answer here, and nobody could ask istiod", want: recorded, change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, replica *snapshot.Replica) {
			secret.Unidentified, replica.Clusters, replica.Error = failed(snapshot.ServerUnreachable), nil, "forbidden"
		}},
		{name: "it means the caller's machine", change: func(secret *snapshot.RemoteSecret, _ *snapshot.Cluster, _ *snapshot.Replica) {
			secret.Server = "https://localhost:6443"
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			replica := snapshot.Replica{Pod: "istiod-a", Clusters: []snapshot.SyncedRemote{{ID: "west", Status: snapshot.Synced}}}
			secret := snapshot.RemoteSecret{Cluster: "west", Server: recorded, Token: "token-west"}
			west := snapshot.Cluster{Server: kubeconfig, UID: "uid-west", ReaderToken: &snapshot.ReaderToken{Filled: true, Token: "token-west"}}
			if test.change != nil {
				test.change(&secret, &west, &replica)
			}
			m := given("")
			m.Clusters[1].Server = test.given
			primary := snapshot.Cluster{
				ControlPlanes: []snapshot.ControlPlane{{Revision: mesh.DefaultRevision, ClusterID: "east", Replicas: []snapshot.Replica{replica}}},
				RemoteSecrets: []snapshot.RemoteSecret{secret},
			}
			got, err := Complete(m, seen(primary, west))
			if err != nil || got.Clusters[1].Server != test.want {
				t.Errorf("got %q, %v; want %q", got.Clusters[1].Server, err, test.want)
			}
		})
	}
}
