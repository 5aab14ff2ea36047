package labtest

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"
)

// Authority is the certificate authority of a cluster, with its key: a test can stand in for the cluster's API server.
func (l *Lab) Authority(tb testing.TB, cluster string) tls.Certificate {
	tb.Helper()
	path := filepath.Join(l.folder, cluster, "pki", "ca")
	ca, err := tls.LoadX509KeyPair(path+".crt", path+".key")
	if err != nil {
		tb.Fatal(err)
	}
	if ca.Leaf == nil {
		if ca.Leaf, err = x509.ParseCertificate(ca.Certificate[0]); err != nil {
			tb.Fatal(err)
		}
	}
	return ca
}
