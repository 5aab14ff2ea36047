package observe

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
	"github.com/kubectl-mesh/kubectl-mesh/pkg/handshake"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Handshake is one that is wanted, and what the certificates are to be checked against. They are checked here, wherever
// they were shown: a pod is told nothing but whom to call.
type Handshake struct {
	handshake.Dial
	// Purpose is what is called, To the cluster.
	Purpose snapshot.Purpose
	To      string
	// name is what the certificate must be for, roots who may have signed it.
	name  string
	roots *x509.CertPool
}

// port is the number that is called.
func (h Handshake) port() int {
	_, text, _ := net.SplitHostPort(h.Address)
	number, _ := strconv.Atoi(text)
	return number
}

// Trusts is true when the chain that a server showed is in order.
func (h Handshake) Trusts(chain [][]byte) bool {
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

// ToGateway are the handshakes with istiod through each port of the east-west gateway that remotes use: proxies call
// 15012 and API servers 15017. These call a hostname by that name, at the revision's own port if it has one. Without an
// address, or a root to compare with, there are none; checks say so.
func ToGateway(ctx context.Context, primary *cluster.Cluster, seen *snapshot.Cluster, t Target) ([]Handshake, error) {
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
	to := func(purpose snapshot.Purpose, port int, name string) Handshake {
		address := net.JoinHostPort(gateway.Address, strconv.Itoa(port))
		return Handshake{Dial: handshake.Dial{Address: address, ServerName: name}, Purpose: purpose, To: t.Primary, name: name, roots: roots}
	}
	webhook := to(snapshot.ToWebhook, wellknown.PortWebhook, name)
	if len(gateway.Hostnames) > 0 {
		webhook = to(snapshot.ToWebhook, int(gateway.WebhookPort(t.Revision)), gateway.Address)
	}
	return []Handshake{to(snapshot.ToIstiod, wellknown.PortXDS, name), webhook}, nil
}

// ToAPIServers are the handshakes with the API servers in the primary's remote secrets. Those that istiod reaches
// through a proxy, or whose CA the secret leaves open, are not among them: of these a pod could tell nothing certain.
func ToAPIServers(ctx context.Context, primary *cluster.Cluster, t Target) []Handshake {
	held, err := istio.RemoteSecrets(ctx, primary.Kube(), t.Namespace)
	if err != nil {
		return nil // the snapshot says that they can't be read
	}
	var handshakes []Handshake
	for _, remote := range held {
		again := slices.ContainsFunc(handshakes, func(h Handshake) bool { return h.To == remote.Cluster })
		if again || remote.Err != nil || mesh.IsLocal(remote.Server) {
			continue
		}
		if h, can := toAPIServer(remote.Credentials); can {
			h.To = remote.Cluster
			handshakes = append(handshakes, h)
		}
	}
	return handshakes
}

func toAPIServer(credentials istio.Credentials) (Handshake, bool) {
	server, _, err := rest.DefaultServerURL(credentials.Server, "", schema.GroupVersion{}, true)
	roots := x509.NewCertPool()
	if err != nil || server.Scheme != "https" || credentials.Proxied || !roots.AppendCertsFromPEM(credentials.CA) {
		return Handshake{}, false
	}
	host, port := server.Hostname(), server.Port()
	if port == "" {
		port = "443"
	}
	name := host
	if credentials.TLSServerName != "" {
		name = credentials.TLSServerName
	}
	return Handshake{
		Dial:    handshake.Dial{Address: net.JoinHostPort(host, port), ServerName: name},
		Purpose: snapshot.ToAPIServer, name: name, roots: roots,
	}, true
}
