package istio

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/api/annotation"
	"istio.io/api/label"
	"istio.io/istio/operator/pkg/manifest"
	"istio.io/istio/pkg/config/constants"
	"istio.io/istio/pkg/kube/multicluster"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// The names that are spelled out here are Istio's own.
func TestNamesAreIstios(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, ours, istios string }{
		{"network label", wellknown.NetworkLabel, label.TopologyNetwork.Name},
		{"gateway port's label", gatewayPortLabel, label.NetworkingGatewayPort.Name},
		{"label of a Gateway's objects", gatewayNameLabel, label.IoK8sNetworkingGatewayGatewayName.Name},
		{"revision label", wellknown.RevisionLabel, label.IoIstioRev.Name},
		{"tag label", wellknown.TagLabel, label.IoIstioTag.Name},
		{"injection label", injectLabel, label.SidecarInject.Name},
		{"controlPlaneClusters annotation", wellknown.ControlPlaneClustersAnnotation, annotation.TopologyControlPlaneClusters.Name},
		{"operator's component label", operatorComponentLabel, manifest.IstioComponentLabel},
		{"owner label", owningResourceLabel, manifest.OwningResourceName},
		{"owner's namespace label", owningResourceNSLabel, manifest.OwningResourceNamespace},
		{"not-pruned label", notPrunedLabel, manifest.OwningResourceNotPruned},
		{"reader account", wellknown.ReaderServiceAccount, constants.DefaultServiceAccountName},
		{"remote secret selector", wellknown.RemoteSecretSelector, multicluster.MultiClusterSecretLabel + "=true"},
		{"operator's managed label", operatorManagedLabel, manifest.OperatorManagedLabel},
		{"operator's version label", operatorVersionLabel, manifest.OperatorVersionLabel},
	} {
		if test.ours != test.istios {
			t.Errorf("the %s is %q, Istio's is %q", test.what, test.ours, test.istios)
		}
	}
}

func TestRevisioned(t *testing.T) {
	t.Parallel()
	if got := wellknown.Revisioned("istiod", ""); got != "istiod" {
		t.Errorf("got %s", got)
	}
	if got := wellknown.Revisioned("istiod", "canary"); got != "istiod-canary" {
		t.Errorf("got %s", got)
	}
}

func TestInstalledBy(t *testing.T) {
	t.Parallel()
	by := func(managers ...string) (fields []metav1.ManagedFieldsEntry) {
		for _, m := range managers {
			fields = append(fields, metav1.ManagedFieldsEntry{Manager: m})
		}
		return fields
	}
	operator := map[string]string{operatorManagedLabel: "Reconcile"}
	for _, test := range []struct {
		name   string
		object metav1.ObjectMeta
		want   string
	}{
		{"nobody knows", metav1.ObjectMeta{ManagedFields: by("kubectl-edit")}, ""},
		{"us", metav1.ObjectMeta{Labels: operator, ManagedFields: by("kubectl-edit", wellknown.FieldManager)}, "kubectl-mesh"},
		{"istioctl, by its field manager", metav1.ObjectMeta{ManagedFields: by("istio-operator")}, "istioctl"},
		{"istioctl, by its label", metav1.ObjectMeta{Labels: operator}, "istioctl"},
		{"Helm", metav1.ObjectMeta{Annotations: map[string]string{"meta.helm.sh/release-name": "istiod"}, ManagedFields: by("helm")}, "helm"},
		{"Helm, with Flux", metav1.ObjectMeta{
			Annotations: map[string]string{"meta.helm.sh/release-name": "istiod"}, Labels: map[string]string{"helm.toolkit.fluxcd.io/name": "istiod"},
		}, "flux"},
		{"Flux's Kustomization", metav1.ObjectMeta{Labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "istio"}}, "flux"},
		{"Argo CD, of our output", metav1.ObjectMeta{
			Annotations: map[string]string{"argocd.argoproj.io/tracking-id": "istio:apps/Deployment:istio-system/istiod"}, ManagedFields: by(wellknown.FieldManager),
		}, "argocd"},
	} {
		if got := InstalledBy(&test.object); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestRendered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		labels map[string]string
		want   bool
	}{
		{"ours, by Flux", map[string]string{applySetLabel: "applyset-x-v1", owningResourceLabel: "primary-canary", fluxKustomizationLabel: "mesh"}, true},
		{"istioctl's, of that name", map[string]string{owningResourceLabel: "primary"}, false},
		{"another's ApplySet", map[string]string{applySetLabel: "applyset-x-v1"}, false},
	} {
		if got := Rendered(&metav1.ObjectMeta{Labels: test.labels}); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	ip, hostname := corev1.LoadBalancerIngress{IP: "192.0.2.1"}, corev1.LoadBalancerIngress{Hostname: "lb.example"}
	ipv6, second := corev1.LoadBalancerIngress{IP: "fd00::1"}, corev1.LoadBalancerIngress{Hostname: "second.example"}
	for _, test := range []struct {
		name      string
		given     string
		ingress   []corev1.LoadBalancerIngress
		want      string
		override  bool
		hostnames []string
	}{
		{"pending", "", nil, "", false, nil},
		{"an empty ingress", "", []corev1.LoadBalancerIngress{{}}, "", false, nil},
		{"an IP", "", []corev1.LoadBalancerIngress{ip}, "192.0.2.1", false, nil},
		{"a hostname", "", []corev1.LoadBalancerIngress{hostname}, "lb.example", false, []string{"lb.example"}},
		{"two hostnames, one of them twice", "", []corev1.LoadBalancerIngress{hostname, second, hostname}, "lb.example", false, []string{"lb.example", "second.example"}},
		{"an IP after a hostname", "", []corev1.LoadBalancerIngress{hostname, ip}, "192.0.2.1", false, nil},
		{"an IPv4 address after an IPv6 one", "", []corev1.LoadBalancerIngress{ipv6, ip}, "192.0.2.1", false, nil},
		{"a hostname after an IPv6 address", "", []corev1.LoadBalancerIngress{ipv6, hostname}, "lb.example", false, []string{"lb.example"}},
		{"an IPv6 address alone", "", []corev1.LoadBalancerIngress{ipv6}, "fd00::1", false, nil},
		{"the user's hostname", "nat.example", []corev1.LoadBalancerIngress{ip}, "nat.example", true, []string{"nat.example"}},
		{"the user's IP", "192.0.2.2", []corev1.LoadBalancerIngress{hostname}, "192.0.2.2", true, nil},
	} {
		service := &corev1.Service{Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: test.ingress}}}
		if test.given != "" {
			service.Annotations = map[string]string{wellknown.AddressAnnotation: test.given}
		}
		if got, override := AddressOf(service); got != test.want || override != test.override {
			t.Errorf("%s: %q, %v; want %q, %v", test.name, got, override, test.want, test.override)
		}
		if got := Hostnames(service); !slices.Equal(got, test.hostnames) {
			t.Errorf("%s: the hostnames are %q, want %q", test.name, got, test.hostnames)
		}
		if address, _ := AddressOf(service); facts.IsAttachable(address) != (test.want != "fd00::1") {
			t.Errorf("%s: attachable is %v", test.name, facts.IsAttachable(address))
		}
	}
}

func TestParseClusterz(t *testing.T) {
	t.Parallel()
	clusters, err := ParseClusterz([]byte(`[{"id":"east","syncStatus":"synced"},{"id":"west","secretName":"istio-system/istio-remote-secret-west","syncStatus":"timeout"}]`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"east": "synced", "west": "timeout", "gone": ""} {
		if got := clusters.Status(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, err := ParseClusterz([]byte("404 page not found")); err == nil || !strings.Contains(err.Error(), "debug/clusterz answered something else than a list of clusters") {
		t.Errorf("got %v", err)
	}
}

func FuzzParseClusterz(f *testing.F) {
	for _, seed := range []string{"", "null", "[]", "[null]", "[{}]", `[{"id":1}]`, `[{"id":"a","syncStatus":"synced"}]`, "{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		clusters, err := ParseClusterz(body)
		if err != nil && clusters != nil {
			t.Errorf("an error and clusters: %v, %v", clusters, err)
		}
		_ = clusters.Status("a")
	})
}
