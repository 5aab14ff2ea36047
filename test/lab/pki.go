package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// authority is the certificate authority of a cluster, or of several.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makeAuthority makes a certificate authority in the folder dir, or finds it there.
func makeAuthority(dir, name string) (authority, error) {
	certificates, err := cert.CertsFromFile(filepath.Join(dir, "ca.crt")) // which is written after the key
	if err == nil {
		key, err := readKey(filepath.Join(dir, "ca.key"))
		return authority{certificate: certificates[0], key: key}, err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return authority{}, err
	}
	key, err := newKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return authority{}, err
	}
	certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: name}, key)
	if err != nil {
		return authority{}, fmt.Errorf("make the certificate authority: %w", err)
	}
	return authority{certificate: certificate, key: key}, writeCertificates(filepath.Join(dir, "ca.crt"), certificate)
}

// makeCertificates makes all that a cluster's components authenticate with, in the folder dir, unless it is there. The
// authority is that of the folder shared, or, without one, the cluster's own.
func makeCertificates(dir, shared, cluster string, serving cert.AltNames) error {
	// The administrator's comes last: if it is there, all are.
	if _, err := os.Stat(filepath.Join(dir, "admin.crt")); err == nil {
		return nil
	}
	if shared != "" {
		if _, err := makeAuthority(shared, "shared-ca"); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		for _, file := range []string{"ca.key", "ca.crt"} {
			if err := linkFile(filepath.Join(shared, file), filepath.Join(dir, file)); err != nil {
				return err
			}
		}
	}
	ca, err := makeAuthority(dir, cluster+"-ca")
	if err != nil {
		return err
	}
	if _, err := newKey(filepath.Join(dir, "service-accounts.key")); err != nil {
		return err
	}
	err = ca.issue(dir, "apiserver", x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    serving.DNSNames,
		IPAddresses: serving.IPs,
	})
	if err != nil {
		return err
	}
	return ca.issue(dir, "admin", x509.Certificate{
		Subject:     pkix.Name{CommonName: "kubernetes-admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// servingNames are the names under which an API server is called.
func servingNames(addresses ...netip.Addr) cert.AltNames {
	names := cert.AltNames{
		DNSNames: []string{
			"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local",
		},
		IPs: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	for _, address := range addresses {
		names.IPs = append(names.IPs, address.AsSlice())
	}
	return names
}

// issue completes a certificate from its template, and writes it and its key.
func (a authority) issue(dir, name string, template x509.Certificate) error {
	key, err := newKey(filepath.Join(dir, name+".key"))
	if err != nil {
		return err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return err
	}
	template.NotBefore = a.certificate.NotBefore
	template.NotAfter = a.certificate.NotBefore.Add(365 * 24 * time.Hour)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	raw, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("issue the certificate %s: %w", name, err)
	}
	issued, err := x509.ParseCertificate(raw)
	if err != nil {
		return err
	}
	return writeCertificates(filepath.Join(dir, name+".crt"), issued)
}

func newKey(path string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	raw, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, err
	}
	return key, writeFile(path, raw, 0o600)
}

func readKey(path string) (crypto.Signer, error) {
	key, err := keyutil.PrivateKeyFromFile(path)
	if err != nil {
		return nil, err
	}
	signer, is := key.(crypto.Signer)
	if !is {
		return nil, fmt.Errorf("%s signs nothing", path)
	}
	return signer, nil
}

func writeCertificates(path string, certificates ...*x509.Certificate) error {
	raw, err := cert.EncodeCertificates(certificates...)
	if err != nil {
		return err
	}
	return writeFile(path, raw, fs.FileMode(0o644))
}
