package observe

import (
	"bytes"
	"context"
	"net/http"
	"os"

	"k8s.io/client-go/rest"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// untrustedBy says why a server's certificate is not signed by a CA, empty where it is. A kubeconfig that gives the same
// CA has had it checked already. Nobody's credentials are sent.
func untrustedBy(ctx context.Context, config *rest.Config, ca []byte) string {
	given := config.CAData
	if len(given) == 0 && config.CAFile != "" {
		given, _ = os.ReadFile(config.CAFile) // who can't read it would not have come here
	}
	if len(ca) == 0 || !config.Insecure && bytes.Equal(bytes.TrimSpace(given), bytes.TrimSpace(ca)) {
		return ""
	}
	anonymous := &rest.Config{
		Host: config.Host, Proxy: config.Proxy, Timeout: remoteAnswerTimeout,
		TLSClientConfig: rest.TLSClientConfig{CAData: ca, ServerName: config.ServerName},
	}
	client, err := rest.HTTPClientFor(anonymous)
	if err != nil {
		return err.Error()
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+"/version", http.NoBody)
	if err != nil {
		return err.Error()
	}
	answer, err := client.Do(request)
	if err == nil {
		_ = answer.Body.Close() // whatever it says, it was trusted
		return ""
	}
	if use := FailedUse(ctx, err); use.Problem == snapshot.ServerUntrusted {
		return use.Error
	}
	return "" // it could not be called, which is another matter
}
