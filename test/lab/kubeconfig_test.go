package lab

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/cert"
)

func TestKubeconfigHasAContextForEachCluster(t *testing.T) {
	dir := t.TempDir()
	one, two := exampleCluster(dir), exampleCluster(dir)
	two.Name, two.Number, two.dir = "cluster2", 5, filepath.Join(dir, "cluster2")
	for _, each := range []cluster{one, two} {
		if err := makeCertificates(each.pki(), "", each.Name, servingNames(each.node(), apiServiceAddress(each.Number))); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "kubeconfig")
	if err := writeKubeconfig(path, one, two); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "cluster1" {
		t.Errorf("the current context is %q; want cluster1", config.CurrentContext)
	}
	for _, each := range []cluster{one, two} {
		client, err := clientcmd.NewNonInteractiveClientConfig(*config, each.Name, nil, nil).ClientConfig()
		if err != nil {
			t.Fatalf("context %s: %v", each.Name, err)
		}
		if client.Host != each.server() {
			t.Errorf("context %s leads to %s; want %s", each.Name, client.Host, each.server())
		}
		ca, err := os.ReadFile(filepath.Join(each.pki(), "ca.crt"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(client.CAData, ca) {
			t.Errorf("context %s trusts another authority than its cluster's", each.Name)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file with private keys has the mode %v (%v); want 0600", info.Mode(), err)
	}
}

func TestCertificates(t *testing.T) {
	c := exampleCluster(t.TempDir())
	names := servingNames(c.node(), apiServiceAddress(c.Number))
	if err := makeCertificates(c.pki(), "", c.Name, names); err != nil {
		t.Fatal(err)
	}
	load := func(name string) *x509.Certificate {
		found, err := cert.CertsFromFile(filepath.Join(c.pki(), name))
		if err != nil {
			t.Fatal(err)
		}
		return found[0]
	}
	roots := x509.NewCertPool()
	roots.AddCert(load("ca.crt"))
	serving, admin := load("apiserver.crt"), load("admin.crt")
	for _, name := range []string{c.node().String(), apiServiceAddress(c.Number).String(), "127.0.0.1", "kubernetes.default.svc"} {
		if _, err := serving.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("called as %s: %v", name, err)
		}
	}
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := admin.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: usage}); err != nil {
		t.Errorf("the administrator: %v", err)
	}
	if err := makeCertificates(c.pki(), "", c.Name, names); err != nil {
		t.Fatal(err)
	}
	if !load("admin.crt").Equal(admin) {
		t.Error("made again, the certificates are others: kubeconfigs in use would fail")
	}
}

// Clusters share an authority if they are told to, and nothing else.
func TestSharedAuthority(t *testing.T) {
	dir := t.TempDir()
	names := servingNames(exampleCluster(dir).node())
	for cluster, shared := range map[string]string{"one": filepath.Join(dir, "shared"), "two": filepath.Join(dir, "shared"), "three": ""} {
		if err := makeCertificates(filepath.Join(dir, cluster), shared, cluster, names); err != nil {
			t.Fatal(err)
		}
	}
	load := func(cluster, file string) []byte {
		raw, err := os.ReadFile(filepath.Join(dir, cluster, file))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for _, file := range []string{"ca.crt", "ca.key", "service-accounts.key", "apiserver.crt"} {
		shared := strings.HasPrefix(file, "ca.")
		if bytes.Equal(load("one", file), load("two", file)) != shared {
			t.Errorf("one and two share %s: %t; want %t", file, !shared, shared)
		}
		if bytes.Equal(load("one", file), load("three", file)) {
			t.Errorf("three shares %s", file)
		}
	}
	roots, err := cert.NewPool(filepath.Join(dir, "one", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for cluster, trusted := range map[string]bool{"one": true, "two": true, "three": false} {
		serving, err := cert.ParseCertsPEM(load(cluster, "apiserver.crt"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := serving[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: "kubernetes"}); (err == nil) != trusted {
			t.Errorf("whoever trusts one's authority trusts the API server of %s: %t (%v)", cluster, !trusted, err)
		}
	}
}
