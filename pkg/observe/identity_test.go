package observe

import "testing"

// A secret leads where its own credentials say, else to the cluster with its token, else to the one at its address.
func TestIdentify(t *testing.T) {
	t.Parallel()
	west := &Cluster{Server: "https://west.example:6443", UID: "uid-west", ReaderToken: &ReaderToken{Token: "token-west"}}
	south := &Cluster{Server: "https://south.example:6443/", UID: "uid-south"}
	twin := &Cluster{Server: "https://twin.example", UID: "uid-one"}
	again := &Cluster{Server: "https://twin.example", UID: "uid-two"}
	hidden := &Cluster{Server: "https://hidden.example"}
	for _, test := range []struct {
		name   string
		secret RemoteSecret
		want   string
	}{
		{"its own word first", RemoteSecret{UID: "uid-own", Server: west.Server, Token: "token-west"}, "uid-own"},
		{"the token, wherever it is called", RemoteSecret{Server: "https://172.18.0.3:6443", Token: "token-west"}, "uid-west"},
		{"the token before the address", RemoteSecret{Server: south.Server, Token: "token-west"}, "uid-west"},
		{"the address", RemoteSecret{Server: "https://south.example:6443", Token: "revoked"}, "uid-south"},
		{"an address that leads to two clusters", RemoteSecret{Server: twin.Server}, ""},
		{"a cluster that does not tell", RemoteSecret{Server: hidden.Server}, ""},
		{"a CA is nobody's alone", RemoteSecret{Server: "https://10.0.0.1", CA: "shared"}, ""},
		{"nothing", RemoteSecret{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := Snapshot{Clusters: map[string]*Cluster{
				"east": {CA: "shared", RemoteSecrets: []RemoteSecret{test.secret}}, "west": west, "south": south, "twin": twin, "again": again, "hidden": hidden,
			}}
			s.identify()
			if got := s.Clusters["east"].RemoteSecrets[0].UID; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
