package access

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
)

// forward joins two connections until one ends.
func forward(a, b net.Conn) {
	go func() {
		defer a.Close()
		defer b.Close()
		_, _ = io.Copy(a, b) // a tunnel's end is no error
	}()
	go func() {
		defer a.Close()
		defer b.Close()
		_, _ = io.Copy(b, a)
	}()
}

// httpProxy is a proxy such as a company's, and counts who comes through.
func httpProxy(t *testing.T) (address string, tunnels *atomic.Int32) {
	t.Helper()
	tunnels = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "tunnels only", http.StatusMethodNotAllowed)
			return
		}
		there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		// Nothing is answered before the connection is ours, so that none of what the client then sends is lost.
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			there.Close()
			return
		}
		tunnels.Add(1)
		if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			here.Close()
			there.Close()
			return
		}
		forward(here, there)
	}))
	t.Cleanup(server.Close)
	return server.URL, tunnels
}

// relay passes what comes at an address of this machine's on to a server, as a load balancer does that knows nothing of TLS.
func relay(t *testing.T, host, server string) (address string) {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", target.Host)
			if err != nil {
				here.Close()
				continue
			}
			forward(here, there)
		}
	}()
	return "https://" + listener.Addr().String()
}

// terminator speaks TLS with a certificate of its own before a server, as Rancher does and inspecting firewalls do.
func terminator(t *testing.T, direct *rest.Config) (address string, ca []byte) {
	t.Helper()
	target, err := url.Parse(direct.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(direct)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport,
	})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // that it is refused is the test
	server.Listener.Close()
	server.Listener = listener
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
