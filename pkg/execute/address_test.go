package execute

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// The address is read for the first remote that needs it, and again only as long as there is none.
func TestAddressIsReadOnce(t *testing.T) {
	t.Parallel()
	e := executor("", "")
	east := e.Clusters["east"]
	if address, err := e.address(t.Context(), east); err == nil {
		t.Fatalf("there is an address: %s", address)
	}
	for _, address := range []string{"192.0.2.1", "192.0.2.2"} {
		gateway := &corev1.Service{ObjectMeta: meta(wellknown.EastWestGateway)}
		gateway.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
		if _, err := east.Kube().CoreV1().Services("istio-system").Update(t.Context(), gateway, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if got, err := e.address(t.Context(), east); err != nil || got != "192.0.2.1" {
			t.Errorf("the address is %s, %v", got, err)
		}
	}
}
