package roundtrips

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// proxy is an HTTP proxy through which a program calls the API servers of a lab, with whatever credentials and from whatever
// kubeconfig. It opens the connections, as it has the clusters' keys.
type proxy struct {
	rounds *rounds
	// doors lead to who stands in for an API server, by its HOST:PORT.
	doors map[string]chan net.Conn
}

// intercept starts a proxy for a lab, and returns its URL.
func intercept(t *testing.T, lab *labtest.Lab, r *rounds) string {
	t.Helper()
	p := &proxy{rounds: r, doors: map[string]chan net.Conn{}}
	for _, c := range lab.Clusters {
		target, err := url.Parse(c.Server)
		if err != nil {
			t.Fatal(err)
		}
		p.doors[target.Host] = p.standIn(t, lab, c.Name, target)
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	door := p.doors[r.Host]
	if r.Method != http.MethodConnect || door == nil {
		http.Error(w, "this proxy leads to the lab's API servers only", http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		client.Close()
		return
	}
	door <- &stirring{client, p.rounds.stir}
}

// stirring tells of every byte.
type stirring struct {
	net.Conn
	stir func()
}

// Read implements net.Conn.
func (s *stirring) Read(b []byte) (int, error) {
	defer s.stir()
	return s.Conn.Read(b)
}

// Write implements net.Conn.
func (s *stirring) Write(b []byte) (int, error) {
	defer s.stir()
	return s.Conn.Write(b)
}

// standIn serves the connections to a cluster's API server that come through the door which it returns.
func (p *proxy) standIn(t *testing.T, lab *labtest.Lab, cluster string, target *url.URL) chan net.Conn {
	t.Helper()
	direct, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: lab.Kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: cluster}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	direct.NextProtos = []string{"http/1.1"} // port-forwarding upgrades connections
	administrator, anonymous := transport(t, direct), transport(t, rest.AnonymousClientConfig(direct))
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "" {
				return anonymous.RoundTrip(r)
			}
			return administrator.RoundTrip(r) // whose key the client has proved to have, were it asked
		}),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("watch") != "true" { // which has no end
				if !p.rounds.wait(r.Context(), cluster+" "+r.Method+" "+r.URL.String()) {
					return
				}
				defer p.rounds.end()
			}
			pass.ServeHTTP(w, r)
		}),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate(t, lab.Authority(t, cluster), target.Hostname())}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // of connections that the client closes
	}
	door := make(chan net.Conn)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { _ = server.ServeTLS(&doorway{door, ctx}, "", "") }()
	t.Cleanup(func() {
		cancel()
		server.Close()
	})
	return door
}

func transport(t *testing.T, config *rest.Config) http.RoundTripper {
	t.Helper()
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// doorway listens at a door.
type doorway struct {
	door chan net.Conn
	ctx  context.Context //nolint:containedctx // it ends Accept, which takes none
}

// Accept implements net.Listener.
func (d *doorway) Accept() (net.Conn, error) {
	select {
	case connection := <-d.door:
		return connection, nil
	case <-d.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (*doorway) Close() error { return nil }

// Addr implements net.Listener.
func (*doorway) Addr() net.Addr { return &net.TCPAddr{} }

// certificate is one for an API server's address, of its cluster's own authority.
func certificate(t *testing.T, ca tls.Certificate, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kube-apiserver"}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: ca.Leaf.NotBefore, NotAfter: ca.Leaf.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, ca.Leaf, key.Public(), ca.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}
