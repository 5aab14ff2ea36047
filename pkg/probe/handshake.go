package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// handshake is one that is wanted, and what the certificates are to be checked against. They are checked here, wherever
// they were shown: a pod is told nothing but whom to call.
type handshake struct {
	echo.Dial
	purpose snapshot.Purpose
	to      string
	// name is what the certificate must be for, roots who may have signed it.
	name  string
	roots *x509.CertPool
}

// port is the number that is called.
func (h handshake) port() int {
	_, text, _ := net.SplitHostPort(h.Address)
	number, _ := strconv.Atoi(text)
	return number
}

// trusts is true when the chain that a server showed is in order.
func (h handshake) trusts(chain [][]byte) bool {
	certificates := make([]*x509.Certificate, len(chain))
	intermediates := x509.NewCertPool()
	for i, der := range chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return false
		}
		certificates[i] = certificate
		intermediates.AddCert(certificate)
	}
	if len(certificates) == 0 {
		return false
	}
	_, err := certificates[0].Verify(x509.VerifyOptions{Roots: h.roots, Intermediates: intermediates, DNSName: h.name})
	return err == nil
}

// toGateway are the handshakes with istiod through each port of the east-west gateway that remotes use: proxies call
// 15012 and API servers 15017. These call a hostname by that name, at the revision's own port if it has one. Without an
// address, or a root to compare with, there are none; checks say so.
func toGateway(ctx context.Context, primary *cluster.Cluster, seen *snapshot.Cluster, t Target) ([]handshake, error) {
	gateway, found := seen.Gateway(wellknown.EastWestGateway)
	if !found || gateway.Address == "" {
		return nil, nil
	}
	roots := x509.NewCertPool()
	cm, err := primary.Kube().CoreV1().ConfigMaps(t.Namespace).Get(ctx, wellknown.RootCertConfigMap, metav1.GetOptions{})
	switch {
	case err != nil && !cluster.Answered(err):
		return nil, err
	case err != nil || !roots.AppendCertsFromPEM([]byte(cm.Data["root-cert.pem"])):
		return nil, nil //nolint:nilerr // checks say that there is none, or that it may not be read
	}
	name := fmt.Sprintf("%s.%s.svc", wellknown.Revisioned(wellknown.Istiod, t.Revision), t.Namespace)
	to := func(purpose snapshot.Purpose, port int, name string) handshake {
		address := net.JoinHostPort(gateway.Address, strconv.Itoa(port))
		return handshake{Dial: echo.Dial{Address: address, ServerName: name}, purpose: purpose, to: t.Primary, name: name, roots: roots}
	}
	webhook := to(snapshot.ToWebhook, wellknown.PortWebhook, name)
	if len(gateway.Hostnames) > 0 {
		webhook = to(snapshot.ToWebhook, int(gateway.WebhookPort(t.Revision)), gateway.Address)
	}
	return []handshake{to(snapshot.ToIstiod, wellknown.PortXDS, name), webhook}, nil
}

// toAPIServers are the handshakes with the API servers in the primary's remote secrets. Those that istiod reaches
// through a proxy, or whose CA the secret leaves open, are not among them: of these a pod could tell nothing certain.
func toAPIServers(ctx context.Context, primary *cluster.Cluster, t Target) []handshake {
	list, err := primary.Kube().CoreV1().Secrets(t.Namespace).List(ctx, metav1.ListOptions{LabelSelector: wellknown.RemoteSecretSelector})
	if err != nil {
		return nil // the snapshot says that they can't be read
	}
	var handshakes []handshake
	for _, secret := range list.Items {
		for _, name := range istio.RemoteSecretKeys(&secret) {
			again := slices.ContainsFunc(handshakes, func(h handshake) bool { return h.to == name })
			credentials, err := istio.ParseRemoteSecret(secret.Data[name])
			if again || err != nil || mesh.IsLocal(credentials.Server) {
				continue
			}
			if h, can := toAPIServer(credentials); can {
				h.to = name
				handshakes = append(handshakes, h)
			}
		}
	}
	return handshakes
}

func toAPIServer(credentials istio.Credentials) (handshake, bool) {
	server, _, err := rest.DefaultServerURL(credentials.Server, "", schema.GroupVersion{}, true)
	roots := x509.NewCertPool()
	if err != nil || server.Scheme != "https" || credentials.Proxied || !roots.AppendCertsFromPEM(credentials.CA) {
		return handshake{}, false
	}
	host, port := server.Hostname(), server.Port()
	if port == "" {
		port = "443"
	}
	name := host
	if credentials.TLSServerName != "" {
		name = credentials.TLSServerName
	}
	return handshake{
		Dial:    echo.Dial{Address: net.JoinHostPort(host, port), ServerName: name},
		purpose: snapshot.ToAPIServer, name: name, roots: roots,
	}, true
}
