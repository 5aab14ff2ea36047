package probe

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

const istiodName = "istiod.istio-system.svc"

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         ed25519.PrivateKey
}

// issue makes a certificate; nil signs itself. The same number makes the same key, and so the same certificate, on which
// what is found by chance can be tried again.
func (a *authority) issue(tb testing.TB, number byte, names ...string) *authority {
	tb.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{number}, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(number)), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		IsCA: len(names) == 0, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	parent, signer := template, key
	if a != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &authority{certificate, key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func pool(roots []byte) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(roots)
	return p
}

// greeted is what is found of a server that has a chain of certificates, in DER, and the first one's key.
func greeted(tb testing.TB, roots []byte, key ed25519.PrivateKey, chain ...[]byte) observe.Port {
	tb.Helper()
	ours, theirs := net.Pipe()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer theirs.Close()
		server := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: key}}, MinVersion: tls.VersionTLS12})
		_ = server.HandshakeContext(ctx) // the client says what is wrong
	}()
	port := greet(ctx, ours, istiodName, pool(roots))
	ours.Close()
	<-ended
	return port
}

func TestGreet(t *testing.T) {
	t.Parallel()
	var nobody *authority
	root, other := nobody.issue(t, 1), nobody.issue(t, 2)
	intermediate := root.issue(t, 3)
	istiod, stranger := intermediate.issue(t, 4, istiodName), intermediate.issue(t, 5, "elsewhere.example")
	for _, test := range []struct {
		name    string
		roots   []byte
		server  *authority
		chain   [][]byte
		trusted bool
	}{
		{"istiod", root.pem(), istiod, [][]byte{istiod.certificate.Raw, intermediate.certificate.Raw, root.certificate.Raw}, true},
		{"one of two roots", append(other.pem(), root.pem()...), istiod, [][]byte{istiod.certificate.Raw, intermediate.certificate.Raw}, true},
		{"another root", other.pem(), istiod, [][]byte{istiod.certificate.Raw, intermediate.certificate.Raw, root.certificate.Raw}, false},
		{"no root", nil, istiod, [][]byte{istiod.certificate.Raw, intermediate.certificate.Raw}, false},
		{"a chain with a gap", root.pem(), istiod, [][]byte{istiod.certificate.Raw}, false},
		{"another name", root.pem(), stranger, [][]byte{stranger.certificate.Raw, intermediate.certificate.Raw}, false},
	} {
		if got := greeted(t, test.roots, test.server.key, test.chain...); got.Error != "" || got.Trusted != test.trusted {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if got := greeted(t, root.pem(), istiod.key); got.Error == "" || got.Trusted {
		t.Errorf("a server without a certificate: %+v", got)
	}
}

// FuzzGateway: whatever certificates who answers at the gateway shows, and whatever stands in the mesh's root, there is a
// finding, and only the mesh's own root makes it a good one.
func FuzzGateway(f *testing.F) {
	var nobody *authority
	root, other := nobody.issue(f, 1), nobody.issue(f, 2)
	istiod := root.issue(f, 3, istiodName)
	f.Add(root.pem(), []byte(nil), other.certificate.Raw)
	f.Add(other.pem(), istiod.certificate.Raw, root.certificate.Raw)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"), []byte{0x30}, []byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, roots, leaf, next []byte) {
		if len(leaf) == 0 {
			leaf = istiod.certificate.Raw
		}
		port := greeted(t, roots, istiod.key, leaf, next)
		if port.Trusted && (port.Error != "" || !known(roots, root.certificate) && !known(roots, istiod.certificate)) {
			t.Errorf("trusted are %q of %q", leaf, roots)
		}
		// What Verify says of certificates is also what a remote secret's API server is judged by.
		if chain, err := x509.ParseCertificates(append(leaf, next...)); err == nil && len(chain) > 0 {
			if _, err := chain[0].Verify(x509.VerifyOptions{Roots: pool(roots)}); err != nil && problem(err).Problem == "" {
				t.Errorf("%v is no problem", err)
			}
		}
	})
}

// known is true when a certificate is among PEM blocks.
func known(roots []byte, certificate *x509.Certificate) bool {
	for block, rest := pem.Decode(roots); block != nil; block, rest = pem.Decode(rest) {
		if one, err := x509.ParseCertificate(block.Bytes); err == nil && one.Equal(certificate) {
			return true
		}
	}
	return false
}
