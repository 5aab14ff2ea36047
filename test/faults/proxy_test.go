package faults

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// proxy stands before the remote's API server, and gives a time of long ago. The context "late" leads to it. The lab's
// clusters have one clock, the machine's.
type proxy struct{ server *httptest.Server }

func (p *proxy) start(t *testing.T, m *testMesh) {
	t.Helper()
	direct, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: m.Kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: remote}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	behind, err := url.Parse(direct.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(direct)
	if err != nil {
		t.Fatal(err)
	}
	p.server = httptest.NewTLSServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(behind) },
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(-5*time.Minute).UTC().Format(http.TimeFormat))
			return nil
		},
	})
	t.Cleanup(p.server.Close)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	config("set-cluster", "late", "--server="+p.server.URL, "--certificate-authority="+ca, "--embed-certs")(t, m)
	config("set-context", "late", "--cluster=late", "--user=cluster2-admin")(t, m)
}

func (p *proxy) stop(t *testing.T, m *testMesh) {
	t.Helper()
	p.server.Close()
	config("delete-context", "late")(t, m)
	config("delete-cluster", "late")(t, m)
}
