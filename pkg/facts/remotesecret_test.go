package facts

import (
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestSecretOf(t *testing.T) {
	t.Parallel()
	home := &snapshot.Cluster{RemoteSecrets: []snapshot.RemoteSecret{{Secret: "a", Cluster: "south"}, {Secret: "b", Cluster: "west"}, {Secret: "c", Cluster: "west"}}}
	if secret, found := SecretOf(home, "west"); !found || secret.Secret != "b" || len(SecretsOf(home, "west")) != 2 {
		t.Errorf("istiod uses %q", secret.Secret)
	}
	if _, found := SecretOf(home, "north"); found {
		t.Error("there is a secret for north")
	}
	if _, found := SecretOf(nil, "west"); found {
		t.Error("there is a secret in a cluster that was not seen")
	}
}

func TestLeadsTo(t *testing.T) {
	t.Parallel()
	seen := &snapshot.Cluster{UID: "uid-west", ReaderToken: &snapshot.ReaderToken{Token: "token-west"}}
	for _, test := range []struct {
		name         string
		secret       snapshot.RemoteSecret
		seen         *snapshot.Cluster
		leads, known bool
	}{
		{"the same UID", snapshot.RemoteSecret{UID: "uid-west"}, seen, true, true},
		{"another UID, with its token", snapshot.RemoteSecret{UID: "uid-other", Token: "token-west"}, seen, false, true},
		{"its token", snapshot.RemoteSecret{Token: "token-west"}, seen, true, true},
		{"another token", snapshot.RemoteSecret{Token: "token-other"}, seen, false, false},
		{"no UID of the cluster", snapshot.RemoteSecret{UID: "uid-west"}, &snapshot.Cluster{}, false, false},
		{"it was read with this secret", snapshot.RemoteSecret{Secret: "a"}, &snapshot.Cluster{Secret: "a"}, true, true},
		{"it was read with another secret", snapshot.RemoteSecret{Secret: "a"}, &snapshot.Cluster{Secret: "b"}, false, false},
	} {
		if leads, known := IsFor(test.secret, test.seen); leads != test.leads || known != test.known {
			t.Errorf("%s: leads is %v, known %v", test.name, leads, known)
		}
	}
}

func TestUIDBehind(t *testing.T) {
	t.Parallel()
	clusters := map[string]*snapshot.Cluster{
		"west":   {UID: "uid-west", Server: "https://west.example:6443", ReaderToken: &snapshot.ReaderToken{Token: "token-west"}},
		"south":  {UID: "uid-south", Server: "https://south.example:6443/"},
		"twin":   {UID: "uid-one", Server: "https://twin.example"},
		"again":  {UID: "uid-two", Server: "https://twin.example"},
		"hidden": {Server: "https://hidden.example"},
	}
	for name, test := range map[string]struct {
		secret snapshot.RemoteSecret
		want   string
	}{
		"its token, wherever it is called":      {snapshot.RemoteSecret{Server: "https://172.18.0.3:6443", Token: "token-west"}, "uid-west"},
		"its token before its address":          {snapshot.RemoteSecret{Server: "https://south.example:6443", Token: "token-west"}, "uid-west"},
		"its address":                           {snapshot.RemoteSecret{Server: "https://south.example:6443", Token: "revoked"}, "uid-south"},
		"an address of two clusters":            {snapshot.RemoteSecret{Server: "https://twin.example"}, ""},
		"an address of a cluster without a UID": {snapshot.RemoteSecret{Server: "https://hidden.example"}, ""},
		"nothing":                               {snapshot.RemoteSecret{}, ""},
	} {
		if got := UIDBehind(test.secret, clusters); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	if !SameServer("https://west.example:6443", "https://west.example:6443/") || SameServer("https://west.example", "https://east.example") || SameServer("", "") {
		t.Error("servers are told apart wrongly")
	}
	if !SameCluster(&snapshot.Cluster{UID: "a"}, &snapshot.Cluster{UID: "a"}) || SameCluster(&snapshot.Cluster{UID: "a"}, &snapshot.Cluster{UID: "b"}) || SameCluster(&snapshot.Cluster{}, &snapshot.Cluster{}) {
		t.Error("clusters are told apart wrongly")
	}
}
