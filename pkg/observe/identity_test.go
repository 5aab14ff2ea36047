package observe

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// A secret leads where its own credentials say, else to the cluster with its token, else to the one at its address.
func TestIdentify(t *testing.T) {
	t.Parallel()
	west := &snapshot.Cluster{Server: "https://west.example:6443", UID: "uid-west", ReaderToken: &snapshot.ReaderToken{Token: "token-west"}}
	south := &snapshot.Cluster{Server: "https://south.example:6443/", UID: "uid-south"}
	twin := &snapshot.Cluster{Server: "https://twin.example", UID: "uid-one"}
	again := &snapshot.Cluster{Server: "https://twin.example", UID: "uid-two"}
	hidden := &snapshot.Cluster{Server: "https://hidden.example"}
	for _, test := range []struct {
		name   string
		secret snapshot.RemoteSecret
		want   string
	}{
		{"its own word first", snapshot.RemoteSecret{UID: "uid-own", Server: west.Server, Token: "token-west"}, "uid-own"},
		{"the token, wherever it is called", snapshot.RemoteSecret{Server: "https://172.18.0.3:6443", Token: "token-west"}, "uid-west"},
		{"the token before the address", snapshot.RemoteSecret{Server: south.Server, Token: "token-west"}, "uid-west"},
		{"the address", snapshot.RemoteSecret{Server: "https://south.example:6443", Token: "revoked"}, "uid-south"},
		{"an address that leads to two clusters", snapshot.RemoteSecret{Server: twin.Server}, ""},
		{"a cluster that does not tell", snapshot.RemoteSecret{Server: hidden.Server}, ""},
		{"a CA is nobody's alone", snapshot.RemoteSecret{Server: "https://10.0.0.1", CA: "shared"}, ""},
		{"nothing", snapshot.RemoteSecret{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
				"east": {CA: "shared", RemoteSecrets: []snapshot.RemoteSecret{test.secret}}, "west": west, "south": south, "twin": twin, "again": again, "hidden": hidden,
			}}
			identifySecrets(&s)
			if got := s.Clusters["east"].RemoteSecrets[0].UID; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
