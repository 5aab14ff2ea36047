package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// callGateway makes a TLS handshake with istiod through each port of the east-west gateway that leads to it.
func callGateway(ctx context.Context, primary *cluster.Cluster, seen *observe.Cluster, t Target) {
	gateway, found := seen.Gateway(istio.EastWestGateway)
	if !found || gateway.Address == "" {
		return
	}
	roots := x509.NewCertPool()
	cm, err := primary.Kube().CoreV1().ConfigMaps(t.Namespace).Get(ctx, istio.RootCertConfigMap, metav1.GetOptions{})
	if err != nil || !roots.AppendCertsFromPEM([]byte(cm.Data["root-cert.pem"])) {
		return // without a root there is nothing to compare with, which a check says
	}
	name := fmt.Sprintf("%s.%s.svc", istio.Revisioned("istiod", t.Revision), t.Namespace)
	numbers := []int{istio.PortXDS, istio.PortWebhook}
	seen.Ports = make([]observe.Port, len(numbers))
	var called sync.WaitGroup
	for i, number := range numbers {
		called.Go(func() { seen.Ports[i] = handshake(ctx, gateway.Address, number, name, roots) })
	}
	called.Wait()
}

func handshake(ctx context.Context, address string, number int, name string, roots *x509.CertPool) observe.Port {
	ctx, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(number)))
	if err != nil {
		return observe.Port{Number: number, Error: err.Error()}
	}
	defer connection.Close()
	port := greet(ctx, connection, name, roots)
	port.Number = number
	return port
}

// greet looks at who answers on a connection.
func greet(ctx context.Context, connection net.Conn, name string, roots *x509.CertPool) observe.Port {
	secured := tls.Client(connection, &tls.Config{
		ServerName: name,
		// Whether the certificate is right is what is asked: it is verified below, and nothing is sent.
		InsecureSkipVerify: true, //nolint:gosec // see above
		NextProtos:         []string{"h2"},
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		return observe.Port{Error: err.Error()}
	}
	return observe.Port{Trusted: trusted(secured.ConnectionState().PeerCertificates, name, roots)}
}

// trusted is true when a chain of certificates is of one of the roots, and its first for the name.
func trusted(chain []*x509.Certificate, name string, roots *x509.CertPool) bool {
	if len(chain) == 0 {
		return false
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: name})
	return err == nil
}
