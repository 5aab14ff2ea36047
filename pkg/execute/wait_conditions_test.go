package execute

import (
	"errors"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"istio.io/istio/pkg/kube"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

func faked(objects ...runtime.Object) *cluster.Cluster {
	return &cluster.Cluster{CLIClient: kube.NewFakeClient(objects...), Name: "west"}
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: "istio-system"}
}

// expect looks once and compares.
func expect(t *testing.T, name string, look condition, done bool, says string) {
	t.Helper()
	got, seen, err := look(t.Context())
	if err != nil {
		seen = err.Error()
	}
	if (got && err == nil) != done || !strings.Contains(seen, says) {
		t.Errorf("%s: done %v, seen %q; want %v, %q", name, got, seen, done, says)
	}
}

func TestHasAddress(t *testing.T) {
	t.Parallel()
	service := func(kind corev1.ServiceType, ip string) *corev1.Service {
		s := &corev1.Service{ObjectMeta: meta(wellknown.EastWestGateway), Spec: corev1.ServiceSpec{Type: kind}}
		if ip != "" {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: ip}}
		}
		return s
	}
	event := func(name, message string, at int64) *corev1.Event {
		return &corev1.Event{ObjectMeta: meta(name), Reason: "SyncLoadBalancerFailed", Message: message, LastTimestamp: metav1.Unix(at, 0),
			InvolvedObject: corev1.ObjectReference{Kind: "Service", Name: wellknown.EastWestGateway}}
	}
	expect(t, "an address", hasAddress(faked(service("LoadBalancer", "192.0.2.1")), "istio-system"), true, "192.0.2.1")
	expect(t, "no Service", hasAddress(faked(), "istio-system"), false, `"istio-eastwestgateway" not found`)

	pending := hasAddress(faked(service("LoadBalancer", "")), "istio-system")
	expect(t, "at first", pending, false, "pending")
	expect(t, "and no controller", pending, false, "does this cluster have one for Services of type LoadBalancer (a cloud's, MetalLB)? Without one, say with --address")

	quota := hasAddress(faked(service("LoadBalancer", ""), event("b", "quota exceeded", 20), event("a", "older", 10)), "istio-system")
	expect(t, "at first", quota, false, "pending")
	expect(t, "and a controller with a reason", quota, false, "pending; the load balancer's controller says: SyncLoadBalancerFailed: quota exceeded")

	_, _, err := hasAddress(faked(service("NodePort", "")), "istio-system")(t.Context())
	var never permanentError
	if !errors.As(err, &never) || !strings.Contains(err.Error(), "is of type NodePort, which has no external address; say with --address where it is reached") {
		t.Errorf("a NodePort: %v", err)
	}
}

func TestHasToken(t *testing.T) {
	t.Parallel()
	secret := &corev1.Secret{ObjectMeta: meta(wellknown.ReaderTokenSecret)}
	expect(t, "empty", hasToken(faked(secret), "istio-system"), false, "not filled yet: the controller manager's token controller does that")
	filled := secret.DeepCopy()
	filled.Data = map[string][]byte{"token": []byte("very-secret"), "ca.crt": []byte("c")}
	look := hasToken(faked(filled), "istio-system")
	expect(t, "filled", look, true, "there")
	if _, seen, _ := look(t.Context()); strings.Contains(seen, "very-secret") {
		t.Error("it shows the token")
	}
	expect(t, "none", hasToken(faked(), "istio-system"), false, "not found")
}

func TestServes(t *testing.T) {
	t.Parallel()
	c := faked()
	served := false
	c.Dynamic().(*dynamicfake.FakeDynamicClient).PrependReactor("list", "workloadentries", func(kubetesting.Action) (bool, runtime.Object, error) {
		if !served {
			return true, nil, apierrors.NewNotFound(istio.ReadInRemotes().GroupResource(), "")
		}
		return true, &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntryList"}}, nil
	})
	expect(t, "a definition that is new", serves(c, "istio-system"), false, "workloadentries.networking.istio.io are not served yet")
	served = true
	expect(t, "served", serves(c, "istio-system"), true, "served")
}

func TestHasCABundle(t *testing.T) {
	t.Parallel()
	injector := func(name, revision string, bundles ...string) *admissionv1.MutatingWebhookConfiguration {
		c := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"app": "sidecar-injector", "istio.io/rev": revision},
		}}
		for _, b := range bundles {
			c.Webhooks = append(c.Webhooks, admissionv1.MutatingWebhook{ClientConfig: admissionv1.WebhookClientConfig{CABundle: []byte(b)}})
		}
		return c
	}
	expect(t, "none", hasCABundle(faked(injector("other", "canary", "pem")), "default"), false, "no injector webhook of revision default")
	expect(t, "one of two lacks it", hasCABundle(faked(injector("a", "default", "pem", ""), injector("b", "default", "pem")), "default"), false, "a has no caBundle")
	expect(t, "both", hasCABundle(faked(injector("a", "default", "pem"), injector("b", "default", "pem"), injector("c", "canary", "")), "default"),
		true, "in 2 webhook configurations")
}

func TestInjects(t *testing.T) {
	t.Parallel()
	c := faked()
	var created *corev1.Pod
	var dryRun []string
	sidecar := false
	c.Kube().(*fake.Clientset).PrependReactor("create", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		create := action.(kubetesting.CreateActionImpl)
		created, dryRun = create.GetObject().(*corev1.Pod).DeepCopy(), create.GetCreateOptions().DryRun
		answer := created.DeepCopy()
		if sidecar {
			answer.Spec.InitContainers = []corev1.Container{{Name: "istio-proxy", Env: []corev1.EnvVar{{Name: "ISTIO_META_CLUSTER_ID", Value: "west"}}}}
		}
		return true, answer, nil
	})
	expect(t, "no sidecar", injects(c, "canary", "west"), false, "the API server admits a labelled pod without a sidecar")
	if len(dryRun) != 1 || dryRun[0] != metav1.DryRunAll {
		t.Errorf("the pod is really made: %v", dryRun)
	}
	if created.Labels["istio.io/rev"] != "canary" || created.Labels["sidecar.istio.io/inject"] != "true" {
		t.Errorf("the pod asks with %v", created.Labels)
	}
	sidecar = true
	expect(t, "a sidecar", injects(c, "", "west"), true, "a dry-run pod gets its sidecar")
	expect(t, "another cluster's", injects(c, "", "south"), false, `the sidecar is told that its cluster is "west", not "south"`)
}
