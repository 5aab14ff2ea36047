package cluster

import (
	"net/http"
	"net/http/httptest"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd/api"

	testconfig "github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// The resource of what is applied is known without a question to the API server.
func TestResourceFor(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	flags := genericclioptions.NewConfigFlags(false)
	*flags.KubeConfig = testconfig.Write(t, map[string]*api.Cluster{"east": testconfig.Of(server)}, nil)
	c, err := Connect(flags, "east", "east", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ apiVersion, kind, namespace, path string }{
		{"v1", "Namespace", "", "/api/v1/namespaces/x"},
		{"v1", "ServiceAccount", "istio-system", "/api/v1/namespaces/istio-system/serviceaccounts/x"},
		{"discovery.k8s.io/v1", "EndpointSlice", "istio-system", "/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices/x"},
		{"rbac.authorization.k8s.io/v1", "ClusterRole", "", "/apis/rbac.authorization.k8s.io/v1/clusterroles/x"},
		{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "istio-system", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/x"},
		{"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/x"},
		{"autoscaling/v2", "HorizontalPodAutoscaler", "istio-system", "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/x"},
		{"policy/v1", "PodDisruptionBudget", "istio-system", "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets/x"},
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x"},
		{"networking.istio.io/v1", "Gateway", "istio-system", "/apis/networking.istio.io/v1/namespaces/istio-system/gateways/x"},
	} {
		object := &unstructured.Unstructured{}
		object.SetAPIVersion(test.apiVersion)
		object.SetKind(test.kind)
		object.SetNamespace(test.namespace)
		resource, err := c.ResourceFor(object.GroupVersionKind(), object, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resource.Get(t.Context(), "x", metav1.GetOptions{}); err == nil {
			t.Errorf("%s: there is none", test.kind)
		}
		if path := <-asked; path != test.path {
			t.Errorf("%s: asked is %s, not %s", test.kind, path, test.path)
		}
	}
}
