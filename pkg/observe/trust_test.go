package observe

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
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

// shown is a handshake in which istiod is expected.
func shown(roots []byte) Handshake { return Handshake{name: istiodName, roots: pool(roots)} }

// FuzzTrusts: whatever certificates who answers at the gateway shows, and whatever stands in the mesh's root, there is a
// finding, and only the mesh's own root makes it a good one.
func FuzzTrusts(f *testing.F) {
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
		trusted := shown(roots).Trusts([][]byte{leaf, next})
		if trusted && !known(roots, root.certificate) && !known(roots, istiod.certificate) {
			t.Errorf("trusted are %q of %q", leaf, roots)
		}
		// What Verify says of certificates is also what a remote secret's API server is judged by.
		if chain, err := x509.ParseCertificates(append(leaf, next...)); err == nil && len(chain) > 0 {
			if _, err := chain[0].Verify(x509.VerifyOptions{Roots: pool(roots)}); err != nil && FailedUse(t.Context(), err).Problem == "" {
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
