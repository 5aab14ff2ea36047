package observe

import (
	"crypto/tls"
	"net/http/httptest"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/handshake"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// What a server over the network shows is trusted when it is the right one, and not otherwise.
func TestTrusts(t *testing.T) {
	t.Parallel()
	var nobody *authority
	root, stranger := nobody.issue(t, 1), nobody.issue(t, 2)
	between := root.issue(t, 3)
	for i, test := range []struct {
		name    string
		by      *authority
		of      string
		more    []*authority
		trusted bool
	}{
		{"istiod", root, istiodName, nil, true},
		{"istiod with a certificate of an intermediate", between, istiodName, []*authority{between}, true},
		{"that shows the root as well", between, istiodName, []*authority{between, root}, true},
		{"a chain with a gap", between, istiodName, nil, false},
		{"another name", root, "gateway.example", nil, false},
		{"another root", stranger, istiodName, []*authority{stranger}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			leaf := test.by.issue(t, byte(10+i), test.of)
			chain := [][]byte{leaf.certificate.Raw}
			for _, more := range test.more {
				chain = append(chain, more.certificate.Raw)
			}
			server := httptest.NewUnstartedServer(nil)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: leaf.key}}, MinVersion: tls.VersionTLS12}
			server.StartTLS()
			t.Cleanup(server.Close)
			wanted := shown(append(nobody.issue(t, 4).pem(), root.pem()...)) // one of two roots will do
			wanted.Dial = handshake.Dial{Address: server.Listener.Addr().String(), ServerName: istiodName}
			made := handshake.Make(t.Context(), wanted.Dial)
			if made.Error != "" || wanted.Trusts(made.Chain) != test.trusted {
				t.Errorf("trusted is %t: %s", !test.trusted, made.Error)
			}
		})
	}
	none := shown(nil)
	if none.Trusts(nil) || none.Trusts([][]byte{[]byte("no certificate")}) {
		t.Error("nothing is trusted")
	}
}

func TestToAPIServer(t *testing.T) {
	t.Parallel()
	ca := (*authority)(nil).issue(t, 1).pem()
	for _, test := range []struct {
		credentials         istio.Credentials
		address, name, open string
	}{
		{credentials: istio.Credentials{Server: "https://10.0.0.1:6443", CA: ca}, address: "10.0.0.1:6443", name: "10.0.0.1"},
		{credentials: istio.Credentials{Server: "https://api.example/k8s/clusters/c-1", CA: ca}, address: "api.example:443", name: "api.example"},
		{credentials: istio.Credentials{Server: "api.example:6443", CA: ca}, address: "api.example:6443", name: "api.example"},
		{credentials: istio.Credentials{Server: "https://[fd00::1]:6443", CA: ca}, address: "[fd00::1]:6443", name: "fd00::1"},
		{credentials: istio.Credentials{Server: "https://10.0.0.1:6443", TLSServerName: "api.example", CA: ca}, address: "10.0.0.1:6443", name: "api.example"},
		{credentials: istio.Credentials{Server: "https://10.0.0.1:6443", CA: ca, Proxied: true}, open: "it is reached through a proxy"},
		{credentials: istio.Credentials{Server: "https://10.0.0.1:6443"}, open: "what istiod trusts is open"},
		{credentials: istio.Credentials{Server: "http://10.0.0.1:8080", CA: ca}, open: "it speaks no TLS"},
		{credentials: istio.Credentials{Server: "https://10.0.0.1:x", CA: ca}, open: "it is no address"},
	} {
		h, can := toAPIServer(test.credentials)
		if can == (test.open != "") || h.Address != test.address || h.name != test.name || h.ServerName != test.name {
			t.Errorf("%s (%s): %+v, %t", test.credentials.Server, test.open, h, can)
		}
	}
}
