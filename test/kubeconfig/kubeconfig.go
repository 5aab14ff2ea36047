// Package kubeconfig writes kubeconfigs for tests.
package kubeconfig

import (
	"encoding/pem"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Of is the entry of an API server that a test runs, with its certificate.
func Of(server *httptest.Server) *api.Cluster {
	return &api.Cluster{
		Server:                   server.URL,
		CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
}

// At is the entry of an API server at a URL.
func At(url string) *api.Cluster { return &api.Cluster{Server: url} }

// Write returns the path of a file with a context for each cluster, of the same name. All have one user, by default one
// with a token.
func Write(tb testing.TB, clusters map[string]*api.Cluster, user *api.AuthInfo) string {
	tb.Helper()
	if user == nil {
		user = &api.AuthInfo{Token: "a-token"}
	}
	config := api.NewConfig()
	config.AuthInfos["user"] = user
	for name, cluster := range clusters {
		config.Clusters[name] = cluster
		config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: "user"}
	}
	path := filepath.Join(tb.TempDir(), "config")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		tb.Fatal(err)
	}
	return path
}
