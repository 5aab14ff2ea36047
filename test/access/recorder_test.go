package access

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// asked is one request, as an authorizer sees it.
type asked struct {
	namespace string
	rule      rbacv1.PolicyRule
}

// recorder stands before an API server and remembers what it was asked, and refused.
type recorder struct {
	mu      sync.Mutex
	asked   []asked
	refused []string
}

// record puts a recorder before a cluster's API server. The kubeconfig's context of the cluster leads to it from then on,
// without credentials of its own: the recorder adds the administrator's, so that the user is whom --as names.
func record(t *testing.T, config *api.Config, cluster string) *recorder {
	t.Helper()
	direct, err := clientcmd.NewNonInteractiveClientConfig(*config, cluster, nil, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	direct.NextProtos = []string{"http/1.1"} // HTTP/2 can't carry port-forwarding's upgrade
	transport, err := rest.TransportFor(direct)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(direct.Host)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      transport,
		ModifyResponse: r.note,
	})
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // its certificate is not the cluster's, which commands look at
	server.StartTLS()
	t.Cleanup(server.Close)
	of := config.Contexts[cluster]
	config.Clusters[of.Cluster] = &api.Cluster{
		Server: server.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
	config.AuthInfos[of.AuthInfo] = &api.AuthInfo{}
	return r
}

// note remembers a request by its answer.
func (r *recorder) note(answer *http.Response) error {
	factory := request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}
	info, err := factory.NewRequestInfo(answer.Request)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer.StatusCode == http.StatusForbidden {
		r.refused = append(r.refused, answer.Request.Method+" "+answer.Request.URL.Path)
	}
	if !info.IsResourceRequest {
		return nil // discovery, which Kubernetes grants to everybody whom it knows
	}
	verbs := []string{info.Verb}
	if info.Verb == "patch" && answer.StatusCode == http.StatusCreated {
		verbs = append(verbs, "create") // server-side apply of what was not there is both
	}
	rule := rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{info.APIGroup}}
	rule.Resources = []string{strings.TrimSuffix(info.Resource+"/"+info.Subresource, "/")}
	if info.Name != "" {
		rule.ResourceNames = []string{info.Name}
	}
	r.asked = append(r.asked, asked{info.Namespace, rule})
	return nil
}
