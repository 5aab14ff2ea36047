package istio

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// What is written here and not by a chart, to the letter.
func TestOwnObjects(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	write := func(object *unstructured.Unstructured, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		data, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(data))
	}
	write(Unstructured(Namespace("istio-system", "network1", "east,other")))
	write(Unstructured(Namespace("istio-system", "", "")))
	write(Unstructured(TokenSecret("istio-system")))
	for _, revision := range []string{"", "canary"} {
		for _, object := range ExposeIstiod("istio-system", revision, 0) {
			write(object, nil)
		}
	}
	golden.Equal(t, "objects.yaml", text.String())
}

// istiod switches a validating webhook to Fail once it answers; applying the chart's Ignore again would switch the
// validation off.
func TestYield(t *testing.T) {
	t.Parallel()
	configuration := func(kind string, policies ...any) *unstructured.Unstructured {
		var webhooks []any
		for i, policy := range policies {
			w := map[string]any{"name": string(rune('a' + i))}
			if policy != nil {
				w["failurePolicy"] = policy
			}
			webhooks = append(webhooks, w)
		}
		object := map[string]any{"kind": kind, "metadata": map[string]any{"name": "v"}}
		if webhooks != nil {
			object["webhooks"] = webhooks
		}
		return &unstructured.Unstructured{Object: object}
	}
	const validating, mutating = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
	for _, test := range []struct {
		name               string
		wanted, live, left *unstructured.Unstructured
	}{
		{"istiod has switched it", configuration(validating, "Ignore"), configuration(validating, "Fail"), configuration(validating, nil)},
		{"one of two", configuration(validating, "Ignore", "Ignore"), configuration(validating, "Ignore", "Fail"), configuration(validating, "Ignore", nil)},
		{"as it was", configuration(validating, "Ignore"), configuration(validating, "Ignore"), configuration(validating, "Ignore")},
		{"a new webhook", configuration(validating, "Ignore"), configuration(validating), configuration(validating, "Ignore")},
		{"another kind", configuration(mutating, "Ignore"), configuration(mutating, "Fail"), configuration(mutating, "Ignore")},
		{"without webhooks", configuration(validating), configuration(validating, "Fail"), configuration(validating)},
	} {
		Yield(test.wanted, test.live)
		if got, want := text(t, test.wanted.Object), text(t, test.left.Object); got != want {
			t.Errorf("%s: left is %s, want %s", test.name, got, want)
		}
	}
}

func TestInjected(t *testing.T) {
	t.Parallel()
	proxy := func(cluster string) corev1.Container {
		return corev1.Container{Name: "istio-proxy", Env: []corev1.EnvVar{{Name: "OTHER", Value: "x"}, {Name: "ISTIO_META_CLUSTER_ID", Value: cluster}}}
	}
	app := corev1.Container{Name: "app", Env: []corev1.EnvVar{{Name: "ISTIO_META_CLUSTER_ID", Value: "x"}}}
	for _, test := range []struct {
		name string
		spec corev1.PodSpec
		says string
	}{
		{"a sidecar", corev1.PodSpec{Containers: []corev1.Container{app, proxy("west")}}, ""},
		{"a native sidecar", corev1.PodSpec{Containers: []corev1.Container{app}, InitContainers: []corev1.Container{{Name: "istio-init"}, proxy("west")}}, ""},
		{"of another cluster", corev1.PodSpec{Containers: []corev1.Container{proxy("east"), app}}, `the sidecar is told that its cluster is "east", not "west"`},
		{"a native one of another cluster", corev1.PodSpec{InitContainers: []corev1.Container{proxy("Kubernetes")}},
			`the sidecar is told that its cluster is "Kubernetes", not "west"`},
		{"none", corev1.PodSpec{Containers: []corev1.Container{app}}, "the API server admits a labelled pod without a sidecar: the injector's webhook was not called"},
	} {
		err := Injected(&corev1.Pod{Spec: test.spec}, "west")
		if test.says == "" && err != nil || test.says != "" && (err == nil || err.Error() != test.says) {
			t.Errorf("%s: %v, want %q", test.name, err, test.says)
		}
	}
}

func TestInjectionProbe(t *testing.T) {
	t.Parallel()
	pod := InjectionProbe("default", "")
	if pod.Labels["sidecar.istio.io/inject"] != "true" || pod.Labels[wellknown.RevisionLabel] != "" || pod.Namespace != "default" || pod.GenerateName == "" {
		t.Errorf("got %+v", pod.ObjectMeta)
	}
	if pod := InjectionProbe("default", "canary"); pod.Labels[wellknown.RevisionLabel] != "canary" {
		t.Errorf("it asks for revision %q", pod.Labels[wellknown.RevisionLabel])
	}
	for revision, want := range map[string]string{"": "istio-injection=enabled", "canary": "istio.io/rev=canary"} {
		if name, value := InjectionLabel(revision); name+"="+value != want {
			t.Errorf("a namespace asks for revision %q with %s=%s", revision, name, value)
		}
	}
}
