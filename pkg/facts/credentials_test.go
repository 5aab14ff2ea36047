package facts

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestSameCredentials(t *testing.T) {
	t.Parallel()
	wanted := snapshot.RemoteSecret{Secret: "istio-remote-secret-west", Server: "https://west.example:6443", CA: snapshot.Fingerprint([]byte("ca")), Token: snapshot.Fingerprint([]byte("token"))}
	for _, test := range []struct {
		name   string
		change func(held, wanted *snapshot.RemoteSecret)
		want   bool
	}{
		{"the same", func(_, _ *snapshot.RemoteSecret) {}, true},
		{"blanks around the CA", func(held, _ *snapshot.RemoteSecret) { held.CA = snapshot.Fingerprint([]byte("ca\n")) }, true},
		{"what does not count", func(held, _ *snapshot.RemoteSecret) {
			held.SecretUID, held.UID, held.Cluster = "uid", "uid-west", "west"
		}, true},
		{"another name", func(held, _ *snapshot.RemoteSecret) { held.Secret = "mine" }, false},
		{"another server", func(held, _ *snapshot.RemoteSecret) { held.Server += "/" }, false},
		{"another server name", func(held, _ *snapshot.RemoteSecret) { held.TLSServerName = "west" }, false},
		{"another CA", func(held, _ *snapshot.RemoteSecret) { held.CA = snapshot.Fingerprint([]byte("other")) }, false},
		{"another token", func(held, _ *snapshot.RemoteSecret) { held.Token = snapshot.Fingerprint([]byte("other")) }, false},
		{"istiod can't use it", func(held, _ *snapshot.RemoteSecret) { held.Error = "the kubeconfig is empty" }, false},
		{"there is no token yet", func(held, wanted *snapshot.RemoteSecret) { held.Token, wanted.Token = "", "" }, false},
	} {
		held, wanted := wanted, wanted
		test.change(&held, &wanted)
		if got := SameCredentials(held, wanted); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
