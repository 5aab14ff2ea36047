package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	chain       [][]byte
}

// sign makes a certificate, signed by a or by itself.
func (a *authority) sign(t *testing.T, template *x509.Certificate) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if a != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	chain := [][]byte{der}
	if a != nil && a.chain != nil {
		chain = append(chain, a.chain...)
	}
	return &authority{certificate, key, chain}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func newRoot(t *testing.T) *authority {
	t.Helper()
	root := (*authority)(nil).sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true})
	root.chain = nil // roots are not shown
	return root
}

// What a server over the network shows is trusted when it is the right one, and not otherwise.
func TestTrusts(t *testing.T) {
	t.Parallel()
	const name = "istiod.istio-system.svc"
	root, stranger := newRoot(t), newRoot(t)
	between := root.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true})
	leaf := func(by *authority, name string) *authority {
		return by.sign(t, &x509.Certificate{DNSNames: []string{name}})
	}
	for _, test := range []struct {
		name    string
		shown   *authority
		trusted bool
	}{
		{"istiod", leaf(root, name), true},
		{"istiod with a certificate of an intermediate", leaf(between, name), true},
		{"another name", leaf(root, "gateway.example"), false},
		{"another root", leaf(stranger, name), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(nil)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: test.shown.chain, PrivateKey: test.shown.key}}, MinVersion: tls.VersionTLS12}
			server.StartTLS()
			t.Cleanup(server.Close)
			wanted := handshake{Dial: echo.Dial{Address: server.Listener.Addr().String(), ServerName: name}, name: name, roots: x509.NewCertPool()}
			wanted.roots.AppendCertsFromPEM(root.pem())
			made := echo.Handshake(t.Context(), wanted.Dial)
			if made.Error != "" || wanted.trusts(made.Chain) != test.trusted {
				t.Errorf("trusted is %t: %s", !test.trusted, made.Error)
			}
		})
	}
	none := handshake{name: name, roots: x509.NewCertPool()}
	if none.trusts(nil) || none.trusts([][]byte{[]byte("no certificate")}) {
		t.Error("nothing is trusted")
	}
}

func TestToAPIServer(t *testing.T) {
	t.Parallel()
	ca := newRoot(t).pem()
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
