package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// lie is what a proxy in front of an API server says in the place of what is so.
type lie struct {
	// version is Kubernetes' release, if it is not to be the true one.
	version string
	// ahead is by how much the clock is wrong.
	ahead time.Duration
}

// addProxy puts a proxy in front of a cluster's API server, for faults that a real one here does not have: it calls with
// the cluster's own credentials. The kubeconfig gets a context that leads to it.
func addProxy(t *testing.T, kubeconfig, name, cluster string, told lie) {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := clientcmd.NewNonInteractiveClientConfig(*config, cluster, nil, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(client)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(client.Host)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport, ModifyResponse: told.tell,
	})
	t.Cleanup(server.Close)
	config.Clusters[name] = &api.Cluster{
		Server: server.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
	config.AuthInfos[name] = &api.AuthInfo{}
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
		t.Fatal(err)
	}
}

func (l lie) tell(r *http.Response) error {
	r.Header.Set("Date", time.Now().Add(l.ahead).UTC().Format(http.TimeFormat))
	if l.version == "" || r.Request.URL.Path != "/version" {
		return nil
	}
	defer r.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return fmt.Errorf("the API server's version: %w", err)
	}
	body["gitVersion"] = l.version
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", fmt.Sprint(len(text)))
	return nil
}
